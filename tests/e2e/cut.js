() => {
    const found = [], root = document.scrollingElement;
    const name = e => `${e.localName}.${e.className} "${(e.ariaLabel ?? e.textContent).trim().slice(0, 40)}"`;
    const dots = s => s.textOverflow === "ellipsis" || s.webkitLineClamp !== "none";
    const closed = way => way === "hidden" || way === "clip";
    const onlyHeard = e => e.closest(".sr-only, [aria-hidden=true], .skip-link");
    const modal = document.querySelector("dialog:modal");
    if (root.scrollWidth > innerWidth + 1) found.push(`the page is ${root.scrollWidth} wide`);
    for (const e of document.querySelectorAll("body *")) {
        const says = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
        const does = e.matches("button, a[href], input, select, textarea");
        if (!(says || does) || onlyHeard(e) || (modal && !modal.contains(e)) || !e.checkVisibility({visibilityProperty: true})) continue;
        const own = getComputedStyle(e);
        if (says && closed(own.overflowX) && e.scrollWidth > e.clientWidth + 1 && !dots(own)) found.push(`cut: ${name(e)}`);
        const box = e.getBoundingClientRect();
        let {left, right, top, bottom} = box, floats = own.position === "absolute", fixed = own.position === "fixed";
        if (right - left < 1 || bottom - top < 1) continue;
        for (let p = e.parentElement; p && p !== root && p !== document.body && !fixed; p = p.parentElement) {
            const s = getComputedStyle(p), b = p.getBoundingClientRect();
            if (floats && s.position === "static") continue;
            floats = s.position === "absolute";
            fixed = s.position === "fixed" || p === modal;
            if (closed(s.overflowX)) {
                if ((left < b.left - 2 || right > b.right + 2) && !dots(s)) found.push(`cut at the side by ${name(p)}: ${name(e)}`);
                if (dots(s)) { left = Math.max(left, b.left); right = Math.min(right, b.right); }
            }
            if (closed(s.overflowY) && (top < b.top - 2 || bottom > b.bottom + 2) && !dots(s)) found.push(`cut below by ${name(p)}: ${name(e)}`);
            if (/auto|scroll/.test(s.overflowX) && p.scrollWidth > p.clientWidth + 1 && !p.matches(".tabs, .account-menu, .table-box")) {
                found.push(`scrolled sideways: ${name(p)}`);
            }
            if (/auto|scroll/.test(s.overflowX)) { left = Math.max(left, b.left); right = Math.min(right, b.right); }
            if (/auto|scroll/.test(s.overflowY)) {
                if (p.clientHeight < 24) found.push(`no room to scroll in: ${name(p)}`);
                top = b.top; bottom = Math.min(b.bottom, b.top + 24);
            }
        }
        const still = fixed || closed(getComputedStyle(document.body).overflowY);
        const over = still ? 0 : scrollY, height = still ? innerHeight : root.scrollHeight;
        if (left < -2 || right > innerWidth + 2) found.push(`beside the window: ${name(e)} ${Math.round(left)} to ${Math.round(right)}`);
        if (top + over < -2 || bottom + over > height + 2) found.push(`out of reach: ${name(e)} ${Math.round(top + over)} to ${Math.round(bottom + over)} of ${height}`);
    }
    return [...new Set(found)];
}
