// Dialogs, menus, copying, toasts and forms that are sent once. All by data attributes.

const find = (selector) => document.querySelector(selector);

// ---- dialogs: a button with data-dialog opens instead of posting
document.addEventListener(
  "click",
  (event) => {
    const opener = event.target.closest("[data-dialog]");
    const dialog = opener && document.getElementById(opener.dataset.dialog);
    // More than the page has counted: the server asks, with the exact number.
    const uncounted = opener?.form?.matches("[data-more]") && opener.form.elements.scope.value === "filter";
    if (dialog && !uncounted) {
      event.preventDefault();
      event.stopPropagation();
      dialog.showModal();
    } else if (event.target.closest("[data-close]")) {
      const box = event.target.closest("dialog, .banner, .toast");
      if (box.matches("dialog")) box.close();
      else if (box.matches(".toast")) box.remove();
      else box.hidden = true;
    } else if (event.target.matches("dialog[open]")) {
      event.target.close();
    }
  },
  true,
);

function closeMenus(except) {
  document.querySelectorAll("details.menu[open]").forEach((menu) => {
    if (menu !== except) menu.open = false;
  });
}
document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && find("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// ---- copying: data-copy names an element, data-copy-text is the text itself
async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-text]");
  if (!button) return;
  const { copyText, copy: from, done } = button.dataset;
  await copy(copyText ?? find(from).textContent);
  const label = button.querySelector("[data-label]") ?? button;
  const before = label.textContent;
  if (before === done) return;
  label.textContent = done;
  setTimeout(() => (label.textContent = before), 2000);
});

// ---- toasts: the server sends HX-Trigger {"toast": {"text": …, "undo": url}}
function toast({ text, undo }) {
  const box = find("#toast").content.firstElementChild.cloneNode(true);
  box.querySelector("p").textContent = text;
  const form = box.querySelector("form");
  if (undo) {
    form.method = "post";
    form.action = undo;
    // The forms of the page have the newest token.
    form.append(find("[name=csrf_token]").cloneNode());
  } else form.remove();
  find("#toasts").append(box);
  const leave = () => (box.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : box.remove());
  setTimeout(leave, 10000);
}
document.addEventListener("toast", (event) => toast(event.detail));

// ---- forms: sent once; a spinner only after 300 ms
const busy = new WeakMap();

function start(form, button) {
  const timer = setTimeout(() => button?.setAttribute("aria-busy", "true"), 300);
  busy.set(form, () => (clearTimeout(timer), button?.removeAttribute("aria-busy")));
}
function end(form) {
  busy.get(form)?.();
  busy.delete(form);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (busy.has(form)) event.preventDefault();
  else start(form, event.submitter);
});
document.addEventListener("htmx:finally:request", (event) => {
  const { ctx } = event.detail;
  end(ctx.sourceElement.closest("form"));
  // Answered or refused, the question is over; a banner would be inert behind it.
  const asked = ctx.sourceElement.closest("dialog") ?? ctx.sourceElement.querySelector("dialog[open]");
  if (ctx.request.method !== "GET") asked?.close();
});
window.addEventListener("pageshow", () => document.querySelectorAll("form").forEach(end));

// ---- notifications: a wish of this browser, which must allow them
const wish = find("[data-notify]");

function showWish() {
  const { permission } = window.Notification ?? { permission: "denied" };
  wish.setAttribute("aria-pressed", localStorage.notify === "on" && permission === "granted");
  find("#notify-refused").hidden = permission !== "denied";
}
wish?.addEventListener("click", async () => {
  const on = wish.getAttribute("aria-pressed") === "true";
  localStorage.notify = on ? "off" : "on";
  if (!on) await window.Notification?.requestPermission();
  showWish();
});
if (wish) showWish();

find(".summary")?.focus();
