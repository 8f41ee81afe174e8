"use strict";
// The admin page's script. It holds no words (they come with the page), keeps no secrets, and does four things:
// sends forms, walks through the wizard, shows live values, and waits for a router that has gone away.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const words = $("#words").dataset;

// --- asking the router ---------------------------------------------------------------------------

const ANSWER_MS = 30000; // a password costs a slow router a second or two

async function call(path, values = {}) {
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": document.body.dataset.csrf };
  const request = { method: "POST", headers, body: JSON.stringify(values), signal: AbortSignal.timeout(ANSWER_MS) };
  try {
    return await (await fetch(path, request)).json();
  } catch (error) {
    return { error: { field: "form", text: words.failed } };
  }
}

// The router's answer to a question that changes nothing; null after the page has said why there is none.
async function read(path) {
  try {
    const answer = await (await fetch(path, { signal: AbortSignal.timeout(ANSWER_MS) })).json();
    if (answer.go) location.assign(answer.go);
    else if (answer.error) $("#say").textContent = answer.error.text;
    else return answer;
  } catch (error) {
    $("#say").textContent = words.failed;
  }
  return null;
}

// --- forms ---------------------------------------------------------------------------------------

function clearErrors(form) {
  $$(".error", form).forEach((place) => (place.textContent = ""));
  $$("[aria-invalid]", form).forEach((input) => input.removeAttribute("aria-invalid"));
}

function showError(form, error) {
  const input = form.elements[error.field];
  const place = input ? $(`#${input.id}-error`) : $("[data-error]", form) || $(".error", form) || $("#say");
  place.textContent = error.text;
  if (input) {
    input.setAttribute("aria-invalid", "true");
    input.focus();
    input.select();
  }
  if (error.offer === "recovery") $$("[data-offer=recovery]").forEach((details) => (details.open = true));
  if (error.offer === "start") startAgain(error);
  if (error.offer === "reload") loadAgain({ say: error.text });
  if (error.wait_s) holdBack(form, error.wait_s);
}

function startAgain(error) {
  if ($("[data-wizard]")) {
    showStep("service_code");
    showError($("[data-step=service_code] form"), { field: "service_code", text: error.text });
  } else location.assign("/signin?because=start");
}

function holdBack(form, seconds) {
  const buttons = $$("button", form);
  buttons.forEach((button) => (button.disabled = true));
  setTimeout(() => buttons.forEach((button) => (button.disabled = false)), Math.min(seconds, 60) * 1000);
}

function firstEmpty(form) {
  return [...form.elements].find((input) => input.required && !input.value.trim());
}

function collect(form, submitter) {
  const data = new FormData(form);
  const values = Object.fromEntries([...data.keys()].map((name) => [name, data.getAll(name).join(" ")]));
  if ("browser_time" in values) values.browser_time = String(Math.floor(Date.now() / 1000));
  if (submitter && submitter.name) values[submitter.name] = submitter.value;
  if (form.dataset.then === "recovery") {
    values.password = $("#password").value;
    values.secret = wizard.secret;
  }
  return values;
}

// A file travels in base64, and no more of it than tells the router that it is too large.
async function withFiles(form, values) {
  for (const input of $$("input[type=file]", form)) {
    if (!input.dataset.most) values[input.name] = String(input.files[0].size); // it follows as it is
    else values[input.name] = await encoded(input);
  }
  return values;
}

async function encoded(input) {
  const bytes = await input.files[0].slice(0, Number(input.dataset.most)).arrayBuffer().catch(() => new ArrayBuffer(0));
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}

// One that is too large for that goes as it is, once the router has said where to.
function uploaded(form, answer) {
  if (!answer.upload) return answer;
  const [bar, request] = [$("progress", form), new XMLHttpRequest()];
  bar.hidden = false;
  return new Promise((resolve) => {
    request.open("POST", answer.upload);
    request.setRequestHeader("X-CSRF-Token", document.body.dataset.csrf);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => (bar.value = loaded / total);
    request.onloadend = () => {
      bar.hidden = true;
      resolve(request.response || { error: { field: "form", text: words.failed } });
    };
    request.send($("input[type=file]", form).files[0]);
  });
}

async function submit(event) {
  event.preventDefault();
  const form = event.target;
  if (form.getAttribute("aria-busy") === "true") return;
  clearErrors(form);
  const empty = firstEmpty(form);
  if (empty) return showError(form, { field: empty.name, text: words.empty });
  form.setAttribute("aria-busy", "true");
  const values = await withFiles(form, collect(form, event.submitter));
  const first = await call(form.dataset.post, values);
  const answer = await uploaded(form, await searched(form, await pressed(form, first), values));
  form.removeAttribute("aria-busy");
  if (answer.search) return form.dataset.sent && form.requestSubmit();
  if (answer.error && answer.error.offer === "prove") askProof(form, event.submitter);
  else if (answer.error) showError(form, answer.error);
  else succeed(form, answer);
}

// Something sensitive needs a code first: the form that asked is sent again once the router has taken one.
let unproved = null;

function askProof(form, submitter) {
  unproved = { form, submitter };
  $("#prove form").reset();
  $("#prove").showModal();
}

function proved() {
  $("#prove").close();
  unproved.form.requestSubmit(unproved.submitter);
}

// What comes after a form of the security page, by its data-then.
const NEXT = {
  enrol: (answer) => showEnrolment(answer),
  codes: (answer) => showNewCodes(answer),
  token: (answer) => showToken(answer),
  backup: (answer) => saveBackup(answer),
  inside: (answer) => showInside(answer),
};

function succeed(form, answer) {
  if (form.dataset.post === "/api/prove") return proved();
  if (answer.again) return loadAgain(answer);
  if (answer.go) return leave(answer);
  if (answer.say) $("#say").textContent = answer.say;
  if (answer.down) expectSilence();
  if (answer.show) {
    $(form.dataset.show).textContent = answer.show;
    $("button", form).hidden = true;
  }
  if (form.dataset.then) (NEXT[form.dataset.then] || ((next) => advance(form.dataset.then, next)))(answer);
}

// A code is complete at six digits: no key needs to be pressed, and a paste with a space works too. Where two are
// asked for, the first leads on to the second.
function codeTyped({ target }) {
  const form = target.form;
  const inputs = $$("[data-code]", form);
  const codes = inputs.map(digitsIn);
  const next = inputs.find((input, index) => codes[index].length !== 6);
  if (next) delete form.dataset.sent;
  if (next && codes[inputs.indexOf(target)].length === 6) next.focus();
  if (next || codes.join() === form.dataset.sent) return;
  form.dataset.sent = codes.join();
  form.requestSubmit();
}

function digitsIn(input) {
  return /[a-z]/i.test(input.value) ? "" : input.value.replace(/\D/g, ""); // letters: a recovery code
}

// The router looks for two codes for as long as somebody waits: each question takes the search a second further.
async function searched(form, answer, values) {
  const line = $("[data-search]", form);
  const sent = form.dataset.sent;
  while (answer.search && form.dataset.sent === sent) {
    line.hidden = false;
    $("progress", line).value = answer.search.percent;
    if ($("span", line).textContent !== answer.search.text) $("span", line).textContent = answer.search.text;
    answer = await call("/api/sign-in/search", values.trust ? { trust: values.trust } : {});
  }
  if (line) line.hidden = true;
  return answer; // with the search still in it: a code was typed anew meanwhile
}

// The same for the router's button: the router says when this has taken too long.
async function pressed(form, answer) {
  const line = $("[data-wait]", form);
  while (answer.wait) {
    line.hidden = false;
    if (line.textContent !== answer.wait) line.textContent = answer.wait;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    answer = await call(form.dataset.post);
  }
  if (line) line.hidden = true;
  return answer;
}

// --- the wizard ----------------------------------------------------------------------------------

const wizard = { secret: "", codes: [] };
const STEPS = ["service_code", "password", "authenticator", "recovery"];

function showStep(name, focus = true) {
  const number = STEPS.indexOf(name) + 1;
  $$("[data-step]").forEach((section) => (section.hidden = section.dataset.step !== name));
  const line = $("[data-steps]");
  line.textContent = line.dataset.steps.replace("%d", number).replace("%d", STEPS.length);
  $(".steps-bar").value = number;
  const section = $(`[data-step=${name}]`);
  if (focus) ($("input:not(.unseen):not([type=checkbox])", section) || $("h1", section)).focus();
}

async function advance(step, answer) {
  if (step === "authenticator") {
    const fresh = await call("/api/setup/authenticator");
    if (fresh.error) {
      showError($("[data-step=password] form"), fresh.error);
      return;
    }
    wizard.secret = fresh.secret;
    $("[data-secret]").textContent = fresh.secret;
    drawCode($("[data-qr]"), fresh.qr);
  }
  if (step === "recovery") showCodes(answer.recovery_codes);
  showStep(step);
  if (step === "authenticator") $("#code").focus();
}

function showCodes(codes) {
  wizard.codes = codes;
  $("[data-codes]").replaceChildren(...codes.map((code) => Object.assign(document.createElement("li"), { textContent: code })));
  $$("[data-step] input[type=password], #code").forEach((input) => (input.value = ""));
  window.addEventListener("beforeunload", holdPage);
}

function holdPage(event) {
  event.preventDefault(); // the codes are on no other page
}

function drawCode(figure, drawing) {
  const picture = svg("svg", { viewBox: drawing.view_box, "shape-rendering": "crispEdges" });
  picture.append(svg("rect", { width: "100%", height: "100%", fill: "#fff" }), svg("path", { d: drawing.path, fill: "#000" }));
  figure.replaceChildren(picture);
}

let strengthTimer = 0;

function passwordTyped(event) {
  clearTimeout(strengthTimer);
  const box = $("[data-strength]", event.target.form);
  const password = event.target.value;
  strengthTimer = setTimeout(async () => {
    const answer = password ? await call(box.dataset.strength, { password }) : { strength: 0, text: "" };
    if (answer.strength === undefined || event.target.value !== password) return; // refused, or too late
    $("meter", box).value = answer.strength;
    $("span", box).textContent = answer.text;
  }, 250);
}

function saveCodes(button) {
  const text = [button.dataset.heading, location.host, "", ...wizard.codes, ""].join("\n");
  saveAs(button.dataset.save, text, "text/plain");
}

function saveAs(name, content, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

async function copyText(button) {
  const text = $(button.dataset.copy).textContent.replace(/\s/g, "");
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = button.dataset.done;
  } catch (error) {
    getSelection().selectAllChildren($(button.dataset.copy)); // not allowed to copy: selected, so one key does it
  }
}

// --- dialogs, and pages that are drawn anew after a change ----------------------------------------

// What the button says of its row goes into the dialog: hidden and other fields by name, texts by data-text.
async function openDialog(button) {
  const dialog = await dialogNamed(button.dataset.open);
  if (!dialog) return null;
  $$("form", dialog).forEach((form) => {
    form.reset();
    clearErrors(form);
  });
  $$("input", dialog).forEach((input) => input.name in button.dataset && (input.value = button.dataset[input.name]));
  $$("[data-text]", dialog).forEach((place) => (place.textContent = button.dataset[place.dataset.text]));
  dialog.showModal();
  const first = $("input:not([type=hidden], .unseen)", dialog);
  if (first && !$("[data-qr]", dialog)) first.focus(); // where there is a picture, it comes first
  return dialog;
}

// They come with the first that is wanted.
async function dialogNamed(id) {
  const place = $("#dialogs");
  if (!place.children.length) {
    const answer = await read(place.dataset.from);
    if (answer) place.innerHTML = answer.html;
  }
  return $("#" + id);
}

async function showEnrolment(answer) {
  const dialog = await openDialog({ dataset: { open: "enrol", secret: answer.secret } });
  if (!dialog) return;
  $("[data-secret]").textContent = answer.secret;
  drawCode($("[data-qr]"), answer.qr);
}

function showNewCodes(answer) {
  showCodes(answer.recovery_codes);
  showAlone($("#codes"));
}

function showToken(answer) {
  $("#made-token").textContent = answer.token;
  window.addEventListener("beforeunload", holdPage);
  showAlone($("#token"));
}

function saveBackup(answer) {
  saveAs(answer.name, Uint8Array.from(atob(answer.file), (character) => character.charCodeAt(0)), "application/octet-stream");
  $("#backup form").reset();
  $("#backup").close();
}

// Before a restore the page tells what is inside; with another file or password nobody has looked yet.
function showInside(answer) {
  const form = $("#restore form");
  $("[data-inside]", form).innerHTML = answer.inside;
  $("[value=restore]", form).hidden = false;
  $("[value=restore]", form).focus();
}

function forgetInside({ target }) {
  const form = target.form || target;
  if (form.dataset.then !== "inside") return;
  $("[data-inside]", form).replaceChildren();
  $("[value=restore]", form).hidden = true;
}

// What is in it is on no other page: only its own button closes it.
function showAlone(dialog) {
  $$("dialog[open]").forEach((open) => open.close());
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.showModal();
}

// The page is loaded again to show what has changed; then it says what was done, or asks the next thing.
function loadAgain(answer) {
  sessionStorage.setItem("after", JSON.stringify({ say: answer.say, open: answer.open }));
  location.reload();
}

// The same on another page.
function leave(answer) {
  sessionStorage.setItem("after", JSON.stringify({ say: answer.say }));
  location.assign(answer.go);
}

function saySaved() {
  const after = JSON.parse(sessionStorage.getItem("after") || "{}");
  sessionStorage.removeItem("after");
  if (after.say) $("#say").textContent = after.say;
  if (after.open) openDialog({ dataset: { open: after.open } });
}

async function showMore(button) {
  const table = $(button.dataset.into);
  const shown = table.children.length;
  const answer = await read(button.dataset.more);
  if (!answer) return;
  table.innerHTML = answer.html;
  button.hidden = true;
  const next = table.children[shown];
  if (!next) return;
  next.tabIndex = -1;
  next.focus();
}

// --- live values ---------------------------------------------------------------------------------

const SILENT_MS = 7000; // an update comes every two seconds
const RETRY_MS = 2000;
const live = { source: null, heard: 0, waiting: false, samples: [], step: 2, most: 300 };

function place(update) {
  for (const [key, markup] of Object.entries(update.html || {}))
    $$(`[data-live-html="${key}"]`).forEach((element) => (element.innerHTML = markup));
  // A table that was drawn anew has empty places: fill them with what is known.
  Object.assign(live.text, update.text);
  for (const [key, text] of Object.entries(update.html ? live.text : update.text || {}))
    $$(`[data-live="${key}"]`).forEach((element) => placeText(element, text));
  for (const [key, state] of Object.entries(update.state || {}))
    $$(`[data-live-state="${key}"]`).forEach((element) => (element.dataset.state = state));
}

function placeText(element, text) {
  if (element.tagName === "METER") element.value = Number(text);
  else if (element.textContent !== text) element.textContent = text;
}

function listen() {
  live.text = {};
  live.heard = Date.now();
  const [page, language] = [$("[data-live-page]").dataset.livePage, document.documentElement.lang];
  live.source = new EventSource(`/live?page=${page}&language=${language}`);
  live.source.addEventListener("history", (event) => {
    const history = JSON.parse(event.data);
    live.samples = history.samples;
    live.step = history.step_s;
  });
  live.source.addEventListener("update", (event) => {
    const update = JSON.parse(event.data);
    found();
    place(update);
    live.samples = live.samples.concat(update.samples || []).slice(-live.most);
    drawChart();
  });
  live.source.addEventListener("ended", () => isAsking() || location.assign("/signin?because=ended"));
  live.source.onerror = () => lost();
}

// A form that is under way may have ended the session itself: its answer says where to go.
const isAsking = () => Boolean($("form[aria-busy]"));

function found() {
  live.heard = Date.now();
  document.body.classList.remove("stale");
  $("#lost").hidden = true;
}

function lost() {
  if (live.waiting) return;
  live.waiting = true;
  live.source.close();
  setTimeout(askAgain, 300);
}

// The router goes down at our word: it still answers for a second, which would mislead.
function expectSilence() {
  live.waiting = true;
  live.source.close();
  setTimeout(askAgain, 3000);
}

async function askAgain() {
  if (isAsking()) return setTimeout(askAgain, RETRY_MS);
  try {
    const answer = await fetch("/api/status", { cache: "no-store", signal: AbortSignal.timeout(4000) });
    const status = await answer.json();
    const restarted = status.run !== $("[data-live-page]").dataset.run;
    if (!status.signed_in) location.assign("/signin?because=" + (restarted ? "restarted" : "ended"));
    else if (restarted) location.reload();
    else setTimeout(resume, RETRY_MS);
  } catch (error) {
    document.body.classList.add("stale");
    $("#lost").hidden = false;
    setTimeout(askAgain, RETRY_MS);
  }
}

function resume() {
  live.waiting = false;
  listen();
}

// --- the chart -----------------------------------------------------------------------------------

function svg(name, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

const CHART = { height: 220, left: 8, right: 56, top: 18, bottom: 26 }; // right: for words of four letters
const LETTER = 10; // pixels that one takes at most, in bold

const ROUND = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10]; // tops of an axis whose halves are short numbers too

function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 10000)));
  return ROUND.find((factor) => factor * power >= value) * power;
}

function rateText(value, units) {
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  const number = value.toLocaleString(document.documentElement.lang, { maximumSignificantDigits: 3, useGrouping: false });
  return `${number} ${units[unit]}`;
}

function drawChart() {
  const figure = $("[data-chart]");
  if (!figure || live.samples.length === 0) return;
  const width = Math.max(figure.clientWidth, 240);
  CHART.right = 16 + LETTER * Math.max(4, figure.dataset.down.length, figure.dataset.up.length);
  const inner = { width: width - CHART.left - CHART.right, height: CHART.height - CHART.top - CHART.bottom };
  const top = roundUp(Math.max(...live.samples.map((sample) => Math.max(...sample))));
  const x = (index) => CHART.left + inner.width * (1 - (live.samples.length - 1 - index) / (live.most - 1));
  const y = (value) => CHART.top + inner.height * (1 - value / top);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${CHART.height}`, width, height: CHART.height, "aria-hidden": "true" });
  picture.append(...grid(inner, top, y), ...[0, 1].map((series) => area(series, x, y)), ...seriesPaths(x, y));
  picture.append(...axisTexts(figure.dataset, inner, top, y), ...directLabels(figure.dataset, width, y));
  figure.replaceChildren(picture);
}

function grid(inner, top, y) {
  return [0, top / 2, top].map((value) => svg("path", { class: "grid", d: `M${CHART.left} ${y(value)}h${inner.width}` }));
}

function axisTexts(labels, inner, top, y) {
  const units = labels.perS.split(",");
  const parts = [top / 2, top].map((value) => svg("text", { x: CHART.left + 2, y: y(value) - 5 }, rateText(value, units)));
  const bottom = CHART.height - 7;
  const minutes = Math.round((live.most * live.step) / 60);
  const at = (share) => CHART.left + inner.width * share;
  parts.push(svg("text", { x: at(0), y: bottom }, labels.minutes.replace("%d", minutes)));
  parts.push(svg("text", { x: at(0.5), y: bottom, "text-anchor": "middle" }, labels.minutes.replace("%d", minutes / 2)));
  parts.push(svg("text", { x: at(1), y: bottom, "text-anchor": "end" }, labels.now));
  return parts;
}

function points(series, x, y) {
  return live.samples.map((sample, index) => `${x(index).toFixed(1)} ${y(sample[series]).toFixed(1)}`);
}

function area(series, x, y) {
  const line = points(series, x, y);
  const d = `M${line[0]}L${line.join("L")}V${y(0)}H${x(0).toFixed(1)}Z`;
  return svg("path", { class: `area series-${series + 1}`, d });
}

function seriesPaths(x, y) {
  return [0, 1].map((series) => svg("path", { class: `line series-${series + 1}`, d: "M" + points(series, x, y).join("L") }));
}

function directLabels(labels, width, y) {
  const last = live.samples[live.samples.length - 1];
  let heights = last.map((value) => y(value) + 4);
  if (Math.abs(heights[0] - heights[1]) < 16) {
    const middle = (heights[0] + heights[1]) / 2;
    heights = heights[0] <= heights[1] ? [middle - 8, middle + 8] : [middle + 8, middle - 8];
  }
  const at = width - CHART.right + 8;
  return [labels.down, labels.up].map((text, series) => svg("text", { class: `label series-${series + 1}`, x: at, y: heights[series] }, text));
}

// --- begin ---------------------------------------------------------------------------------------

document.addEventListener("submit", (event) => event.target.dataset.post && submit(event));

document.addEventListener("input", (event) => {
  const input = event.target;
  if (input.getAttribute("aria-invalid")) {
    input.removeAttribute("aria-invalid");
    $(`#${input.id}-error`).textContent = "";
  }
  if ("code" in input.dataset) codeTyped(event);
  if (input.autocomplete === "new-password") passwordTyped(event);
});

for (const kind of ["input", "reset"]) document.addEventListener(kind, forgetInside);

document.addEventListener("change", ({ target }) => {
  if (target.dataset.reveal) $("#" + target.dataset.reveal).type = target.checked ? "text" : "password";
  if (target.dataset.enables) $("#" + target.dataset.enables).disabled = !target.checked;
});

document.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (!button) return;
  if ("print" in button.dataset) window.print();
  if (button.dataset.save) saveCodes(button);
  if (button.dataset.copy) copyText(button);
  if (button.dataset.open) openDialog(button);
  if (button.dataset.more) showMore(button);
  if ("close" in button.dataset) button.closest("dialog").close();
  if (button.dataset.go) {
    window.removeEventListener("beforeunload", holdPage);
    location.assign(button.dataset.go);
  }
});

// On a phone the rail is longer than the screen: the page's own name is in sight.
// The bar is scrolled to the page's own link. With scrollIntoView the Tab key would begin there, past the start.
function showWhere(link) {
  const [bar, place] = [link.closest("nav"), link.getBoundingClientRect()];
  bar.scrollLeft += place.left + place.width / 2 - bar.getBoundingClientRect().left - bar.clientWidth / 2;
}
$$(".rail [aria-current]").forEach(showWhere);
$(".rail nav")?.addEventListener("focusin", ({ target }) => target.matches(":focus-visible") && showWhere(target));

saySaved();
if ($("[data-wizard]")) showStep($("[data-wizard]").dataset.first);

if ($("[data-live-page]")) {
  listen();
  setInterval(() => Date.now() - live.heard > SILENT_MS && lost(), 1000);
  if ($("[data-chart]")) new ResizeObserver(drawChart).observe($("[data-chart]"));
}
