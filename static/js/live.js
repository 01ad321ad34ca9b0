// Live regions: when to ask, what to send, and how to say that the server is away.
// A live region is an element with [data-live]; htmx does the asking and the morphing.

const root = document.documentElement;
const byId = (id) => document.getElementById(id);
const regions = () => document.querySelectorAll("[data-live]");
const tags = new WeakMap();
const SHAPES = { ok: "●", warn: "▲", bad: "⬣" };

let updated = Date.now();
let awaySince = 0;
let wait = 0;
let nextTry = 0;

export const refresh = () => regions().forEach((region) => window.htmx.trigger(region, "refresh"));

// Notifications are wished for on this browser; a tab that nobody sees then asks twice a minute.
const notifies = () => localStorage.notify === "on" && window.Notification?.permission === "granted";

function paused() {
  if (document.hidden && !(notifies() && Date.now() - updated > 30000)) return true;
  return document.querySelector("dialog[open], [data-pick]:checked") !== null;
}

// One message for all tabs (same tag); some phones know no such constructor.
function notify(body, tag) {
  if (!notifies()) return;
  try {
    new Notification("Hub", { body, tag }).onclick = () => window.focus();
  } catch {
    return;
  }
}

function clockTime(date) {
  return date.toLocaleTimeString("pt-BR", { timeZone: "America/Sao_Paulo" });
}

// Commands stay visible but cannot be given while nobody would receive them.
function disableCommands(away) {
  root.classList.toggle("away", away);
  const buttons = away ? "form[method=post] button:not(:disabled)" : "button[data-away]";
  document.querySelectorAll(buttons).forEach((button) => {
    button.disabled = away;
    button.toggleAttribute("data-away", away);
  });
}

function failed() {
  if (!awaySince) {
    awaySince = Date.now();
    byId("offline").querySelector("time").textContent = clockTime(new Date());
    byId("offline").hidden = false;
  }
  disableCommands(true);
  wait = Math.min(60, Math.max(5, wait * 2));
  nextTry = Date.now() + wait * 1000 - 500;
}

function answered() {
  updated = Date.now();
  wait = nextTry = 0;
  awaySince = 0;
  byId("expired").hidden = byId("offline").hidden = true;
  if (root.matches(".away")) disableCommands(false);
}

// What went wrong with a command stays until closed: it must not be missed.
function explain(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const message = page.querySelector("[data-message]")?.dataset.message;
  const banner = byId("refused");
  banner.querySelector("[data-text]").textContent = message || banner.dataset.text;
  banner.hidden = false;
}

document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event.detail;
  const region = ctx.sourceElement;
  if (!region.matches("[data-live]")) return;
  const forced = ctx.sourceEvent?.type === "refresh";
  if (!forced && (paused() || Date.now() < nextTry)) return event.preventDefault();
  if (tags.has(region)) ctx.request.headers["If-None-Match"] = tags.get(region);
});

document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  const { status, headers } = ctx.response;
  const polled = ctx.sourceElement.matches("[data-live]");
  if (status === 401) {
    byId("expired").hidden = false;
    disableCommands(true);
  } else if (status >= 500 && polled) {
    failed();
  } else {
    // New content brings the tokens that commands need: they come back with it, not before.
    if (!polled || status !== 200) answered();
    if (status >= 400 && status !== 422) explain(ctx.text);
  }
  if (polled && status === 200) {
    const tag = headers.get("ETag");
    if (tag) tags.set(ctx.sourceElement, tag);
  } else if (!polled) {
    // The command changed what the page shows: what we hold is no longer what the server sent.
    regions().forEach((region) => tags.delete(region));
    if (status < 300) refresh();
  }
});

document.addEventListener("htmx:error", (event) => {
  const { ctx } = event.detail;
  if (ctx && !ctx.response) failed();
});

// The tab says how things are; screen readers hear only a change of state.
function showState() {
  const state = byId("system-state");
  if (!state) return;
  const { tone, count, say } = state.dataset;
  const name = document.title.replace(/^(\(\d+\) )?([●▲⬣] )?/, "");
  const mark = tone === "ok" ? "" : `${SHAPES[tone] ?? ""} `;
  document.title = `${count > 0 ? `(${count}) ` : ""}${mark}${name}`;
  const icon = byId("favicon");
  const href = icon.href.replace(/\w+\.svg/, `${tone}.svg`);
  if (icon.href !== href) icon.href = href;
  const announce = byId("announce");
  if (announce.dataset.tone && announce.dataset.tone !== tone) {
    announce.textContent = say;
    if (tone === "bad") notify(say, "state");
  }
  announce.dataset.tone = tone;
}

// A call to the level of whoever is here.
let called = null;
function showCalls() {
  const calls = [...document.querySelectorAll("#calls .banner")];
  calls.forEach((call) => called && !called.has(call.id) && notify(call.innerText.trim(), call.id));
  called = new Set(calls.map((call) => call.id));
}

function relative(ms) {
  const gap = Math.floor(Math.abs(Date.now() - ms) / 1000);
  if (gap < 1) return "agora";
  const [size, unit] = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]].find(([n]) => gap >= n);
  return `${ms < Date.now() ? "há" : "em"} ${Math.floor(gap / size)} ${unit}`;
}

function tick() {
  if (document.hidden) return;
  document.querySelectorAll("time[data-ago]").forEach((time) => {
    const text = relative(Number(time.dataset.ago));
    if (time.textContent !== text) time.textContent = text;
  });
  const fresh = byId("fresh");
  if (!fresh || !regions().length) return;
  fresh.hidden = false;
  const on = !paused() && fresh.dataset.poll !== "0";
  fresh.querySelector("[data-paused]").hidden = on;
  fresh.querySelector("[data-age]").textContent = relative(updated - 1000);
}

document.addEventListener("visibilitychange", () => document.hidden || refresh());
// Forms outside the region were made for a login that may be over: they take the newest token.
function renewTokens() {
  const fresh = document.querySelector("[data-live] [name=csrf_token]")?.value;
  if (fresh) document.querySelectorAll("[name=csrf_token]").forEach((field) => (field.value = fresh));
}

document.addEventListener("htmx:after:swap", (event) => {
  renewTokens();
  if (event.detail.ctx.response?.status === 200) answered();
  showState();
  showCalls();
  tick();
});
document.addEventListener("click", (event) => event.target.closest("[data-refresh]") && refresh());
showState();
showCalls();
tick();
setInterval(tick, 1000);
