async () => {
    let e = document.activeElement;
    while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
    if (!e || e === document.body || e.localName === "iframe") return [e?.localName ?? "", []];
    const found = [], name = `${e.localName}.${e.className} "${(e.ariaLabel ?? e.textContent).trim().slice(0, 40)}"`;
    const forced = matchMedia("(forced-colors: active)").matches; // there every edge has a colour that is seen
    const shows = s => (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 1 && (forced || !/, 0\)$/.test(s.outlineColor)))
        || (!forced && s.boxShadow !== "none" && e.matches(":focus-visible"));
    const around = e.closest(".composer-box, .composer, .palette-field");
    if (!shows(getComputedStyle(e)) && !(around && shows(getComputedStyle(around)))) found.push(`the focus is not seen: ${name}`);
    await new Promise(requestAnimationFrame);
    const b = e.getBoundingClientRect();
    const near = [[0.5, 0.5], [0.1, 0.2], [0.9, 0.2], [0.1, 0.8], [0.9, 0.8]];
    const over = near.map(([x, y]) => e.getRootNode().elementFromPoint(b.left + x * b.width, b.top + y * b.height));
    const isOurs = there => there && (e.contains(there) || there.contains(e) || e.labels?.[0]?.contains(there));
    if (!over.some(isOurs)) {
        const by = over.map(each => each && `${each.localName}.${each.className}`);
        found.push(`the focus is hidden: ${name} at ${Math.round(b.left)} ${Math.round(b.top)} by ${by}`);
    }
    return [name, found];
}
