// Small helpers. Text from elsewhere enters the page as text alone: nothing here parses HTML.

export const $ = (id) => document.getElementById(id);

/** An element: `el("p", { class: "quiet" }, "text", child)`. */
export function el(tag, attributes = {}, ...children) {
  const found = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined && value !== false) found.setAttribute(name, value === true ? "" : value);
  found.append(...children);
  return found;
}

export const fill = (id, ...children) => $(id).replaceChildren(...children);

export const grouped = (value) => Number(value).toLocaleString("en-US");

/** Offers bytes as a file. */
export function save(name, data) {
  const link = el("a", { download: name, href: URL.createObjectURL(new Blob([data])) });
  link.click();
  URL.revokeObjectURL(link.href);
}
