// The pages work without this. With it: live values, a password's strength, a countdown, copying and printing.
"use strict";
document.documentElement.classList.add("scripted");

const KINDS = [/\p{Ll}/u, /\p{Lu}/u, /\p{Nd}/u, /[^\p{L}\p{N}]/u];

// An estimate as accounts/passwords.py makes it, without its list of common passwords: the server decides.
function strength(password) {
  const characters = [...password];
  if (new Set(characters).size <= 3) return 0;
  const steps = characters.slice(1).map((character, i) => character.codePointAt(0) - characters[i].codePointAt(0));
  const runs = steps.slice(1).filter((step, i) => step === steps[i] && Math.abs(step) <= 1).length;
  const kinds = KINDS.filter((kind) => kind.test(password)).length;
  const points = Math.min(characters.length, 20) + 2 * (kinds - 1) - 3 * runs;
  return [8, 10, 14, 18].filter((needed) => points >= needed).length;
}

function showStrength(input) {
  const meter = document.getElementById(input.dataset.strength);
  const words = meter.dataset.words.split("|");
  input.addEventListener("input", () => {
    const level = strength(input.value);
    meter.hidden = input.value === "";
    meter.dataset.level = level;
    meter.querySelector(".word").textContent = words[level];
  });
}

function offerReveal(input) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "link reveal";
  const say = () => { button.textContent = input.type === "password" ? input.dataset.show : input.dataset.hide; };
  button.addEventListener("click", () => {
    input.type = input.type === "password" ? "text" : "password";
    say();
  });
  say();
  input.form.addEventListener("submit", () => { input.type = "password"; });
  // What is wrong with the field stays next to it.
  (document.getElementById(`${input.id}-error`) ?? input).after(button);
}

const HELD_MS = 5000; // long enough for a second click, short enough for a second try

// Sent twice, a code that works once is refused the second time: a double click sends a form once.
function sendOnce(form) {
  let sent = null;
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    if (sent && performance.now() - sent.at < HELD_MS) return event.preventDefault();
    sent = { at: performance.now(), by: event.submitter };
    sent.by?.setAttribute("aria-busy", "true");
    setTimeout(() => sent?.by?.removeAttribute("aria-busy"), HELD_MS);
  });
  addEventListener("pageshow", () => {
    sent?.by?.removeAttribute("aria-busy");
    sent = null;
  });
}

// A form that was refused: going back, and loading again, lead to its page instead of sending it once more.
function standForForm(body) {
  history.replaceState(null, "", body.dataset.formPage);
}

// A field changes only when its text does: a screen reader, or a selection, is not disturbed every two seconds.
function fill(router, words) {
  router.dataset.state = words.state;
  for (const field of router.querySelectorAll("[data-field]")) {
    const text = words[field.dataset.field];
    if (text !== undefined && field.textContent !== text) field.textContent = text;
  }
}

// A new browser wants in: on every page of a trusted one, whatever else the page shows.
function tellApproval(id) {
  const notice = document.getElementById("approval");
  if (!notice || id === undefined || notice.dataset.id === id) return;
  notice.dataset.id = id;
  notice.hidden = id === "";
  notice.querySelector("a").href = `/approvals/${id}`;
}

// What was sent did not arrive: said where it is waited for, without disturbing what is being typed.
function tellDelivery(fault) {
  const place = document.getElementById("delivery");
  if (!place || fault === undefined || place.textContent === fault) return;
  place.textContent = fault;
  place.hidden = fault === "";
  const promise = document.getElementById("under-way");
  if (promise) promise.hidden = fault !== "";
  const aside = document.querySelector("details.aside");
  if (fault && aside) aside.open = true;
}

// The session is over: nothing of its page stays, also where no server can be reached (pages/over.py).
function leave() {
  document.body.replaceChildren();
  document.title = "Gatelodge";
  location.replace(document.body.dataset.over);
}

// Looked at often, not waited for once: computers sleep. Their clocks differ from the cloud's.
function leaveAtEnd(body) {
  const ahead = Date.now() - 1000 * Number(body.dataset.now);
  const timer = setInterval(() => {
    if (Date.now() - ahead < 1000 * Number(body.dataset.ends)) return;
    clearInterval(timer);
    leave();
  }, 1000);
  // A page that the browser kept to go back to is of then: it is asked for anew.
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    body.replaceChildren();
    location.replace(location.pathname + location.search);
  });
}

const AGAIN_MS = 60000; // after the cloud had no room for another line

function followLive(place) {
  const source = new EventSource(place.dataset.live);
  source.addEventListener("over", () => { source.close(); leave(); });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(followLive, AGAIN_MS, place);
  });
  source.addEventListener("message", (event) => {
    const news = JSON.parse(event.data);
    tellApproval(news.approval);
    tellDelivery(news.delivery);
    if (news.ends) document.body.dataset.ends = news.ends;
    if (news.version !== undefined && news.version !== place.dataset.version) return location.reload();
    for (const router of document.querySelectorAll("[data-router]")) {
      if (news[router.dataset.router]) fill(router, news[router.dataset.router]);
    }
  });
  addEventListener("pagehide", () => source.close());
}

function countDown(place) {
  const end = Date.now() + 1000 * Number(place.dataset.countdown);
  const show = () => {
    const left = Math.max(0, Math.round((end - Date.now()) / 1000));
    place.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (left === 0) clearInterval(timer);
  };
  const timer = setInterval(show, 1000);
  show();
}

// The ring empties with the code that an authenticator shows, and begins again with the next one.
function goRound(place) {
  const every = 30, ring = place.querySelector(".left"), text = place.querySelector("[data-countdown]");
  const end = Date.now() / 1000 + Number(place.dataset.codeClock);
  text.removeAttribute("data-countdown");
  const show = () => {
    const past = (Date.now() / 1000 - end) % every;
    const left = past < 0 ? -past : every - past;
    ring.setAttribute("stroke-dasharray", `${left} ${every}`);
    const said = `0:${String(Math.ceil(left)).padStart(2, "0")}`;
    if (text.textContent !== said) text.textContent = said;
  };
  setInterval(show, 500);
  show();
}

function offerCopy(button) {
  const said = button.textContent;
  button.addEventListener("click", async () => {
    const lines = [...document.querySelectorAll(`#${button.dataset.copy} code`)].map((code) => code.textContent);
    await navigator.clipboard.writeText(lines.join("\n"));
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = said; }, 2000);
  });
}

const LINK_CODE = /^[\w-]{34,43}$/;

// The code of a link (links.py): out of the address and the history, and into the form that asks for it.
function takeCode() {
  const field = document.querySelector("input[data-fragment]");
  const code = location.hash.slice(1);
  const skipped = document.getElementById(code);  // the skip link leads to a part of the page
  if (!(field ? code && !skipped : LINK_CODE.test(code))) return;
  history.replaceState(null, "", location.pathname + location.search);
  if (!field) return;
  field.value = code;
  field.form.submit();
}

// Another link of the page that is open: a browser loads nothing for a fragment alone. An empty query makes it.
addEventListener("hashchange", () => {
  const { hash, pathname } = location;
  if (LINK_CODE.test(hash.slice(1))) location.replace(`${pathname}?${hash}`);
});
takeCode();

const EACH = {
  // One line to the cloud per page: browsers keep few to one name.
  "body[data-notices]:not(:has([data-live]))": (body) => { body.dataset.live = body.dataset.notices; },
  "body[data-form-page]": standForForm,
  "form[method=post]:not([data-passkey], [data-options])": sendOnce, // those send themselves
  "input[data-zone]": (input) => { input.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? ""; },
  "form[data-submit]": (form) => form.submit(),
  "input[data-strength]": showStrength,
  "input[type=password]": offerReveal,
  "[data-live]": followLive,
  "body[data-ends]": leaveAtEnd,
  "[data-code-clock]": goRound,
  "[data-countdown]": countDown,
  "button[data-copy]": offerCopy,
  "button[data-print]": (button) => button.addEventListener("click", () => print()),
};
for (const [selector, improve] of Object.entries(EACH)) document.querySelectorAll(selector).forEach(improve);
