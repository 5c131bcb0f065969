// What a person with a screen reader would find: the visible elements of a role, in the order of the document,
// with this name where one is given, shadow roots included. The body of a function (role, name, within).
const [role, name, within] = arguments;
const OF = {
  alert: "[role=alert]",
  alertdialog: "[role=alertdialog]",
  button: "button, [role=button]",
  dialog: "dialog[open], [role=dialog]",
  form: "form",
  heading: "h1, h2, h3",
  iframe: "iframe",
  link: "a[href]",
  listitem: "li, [role=listitem]",
  log: "[role=log]",
  main: "main",
  radio: "input[type=radio]",
  region: "section, [role=region]",
  status: "[role=status]",
  switch: "[role=switch]",
  tab: "[role=tab]",
  textbox: "textarea, input:not([type]), input[type=text], input[type=email], input[type=password], [role=textbox]",
  text: "*",
};
const flat = (text) => (text ?? "").replace(/\s+/g, " ").trim();

function* every(top) {
  for (const each of top.querySelectorAll("*")) {
    yield each;
    if (each.shadowRoot) yield* every(each.shadowRoot);
  }
}

function called(each) {
  const by = each.getAttribute("aria-labelledby");
  if (by) return flat(by.split(/\s+/).map((id) => each.getRootNode().getElementById(id)?.textContent).join(" "));
  if (each.getAttribute("aria-label")) return flat(each.getAttribute("aria-label"));
  if (each.labels?.length) return flat([...each.labels].map((label) => label.textContent).join(" "));
  return flat(each.innerText) || flat(each.title);
}

/** Its own words, not those of a child that has them all. */
const says = (each) => flat(each.innerText) === name && ![...each.children].some((child) => flat(child.innerText) === name);
const shown = (each) => each.checkVisibility({ visibilityProperty: true }) && each.getClientRects().length > 0;
const wanted = (each) => each.matches(OF[role]) && (name === null || (role === "text" ? says(each) : called(each) === name));
return [...every(within ?? document)].filter((each) => wanted(each) && shown(each));
