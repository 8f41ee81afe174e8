// The operator's page: draws what /events tells, and asks for what the operator presses. Texts come from the server.

const HEARTBEAT_MS = 25_000; // the server says something every 10 s; a connection that is silent for longer is dead
const SOUND = "sound"; // in the browser's own memory
const tiles = new Map(); // port -> { element, data }
const $ = (id) => document.getElementById(id);

// --- drawing ---

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function draw(data) {
  let tile = tiles.get(data.port);
  if (!tile) {
    const element = $("tile").content.firstElementChild.cloneNode(true);
    tile = { element };
    element.querySelector(".act").addEventListener("click", () => act(tile.data.action, data.port));
    $("tiles").append(element);
    tiles.set(data.port, tile);
  }
  const before = tile.data?.state;
  tile.data = data;
  const part = (name) => tile.element.querySelector(`.${name}`);
  tile.element.dataset.state = data.state;
  put(part("word"), data.word);
  put(part("port"), data.port);
  put(part("unit"), [data.model, data.serial_number].filter(Boolean).join(" · ") || data.description || data.device);
  put(part("step"), data.step && `Step ${data.step}`);
  put(part("detail"), data.detail);
  put(part("next"), data.next);
  const progress = tile.element.querySelector("progress");
  progress.value = data.progress;
  progress.setAttribute("aria-label", `Progress at ${data.port}`);
  const button = part("act");
  put(button, data.button);
  button.disabled = !data.action;
  button.setAttribute("aria-label", `${button.textContent} ${data.port}`);
  drawClock(tile);
  if (before && before !== data.state) announce(data);
}

function drawClock({ element, data }) {
  const now = Date.now() / 1000 + skew;
  const seconds = data.state === "working" ? Math.max(0, now - data.since) : data.seconds;
  put(element.querySelector(".clock"), seconds && data.state !== "ready" ? duration(seconds) : "");
}

function duration(seconds) {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

function drawTotals(totals) {
  put($("go"), String(totals.go));
  put($("no-go"), String(totals.no_go));
  put($("yield"), totals.yield === null ? "–" : `${totals.yield} %`);
  put($("running"), String(totals.running));
  $("no-go").parentElement.toggleAttribute("data-any", totals.no_go > 0);
}

function settle() {
  $("empty").hidden = tiles.size > 0;
  $("tiles").hidden = tiles.size === 0;
  $("start-all").disabled = ![...tiles.values()].some(({ data }) => data.state === "ready" && data.action);
  $("abort-all").disabled = ![...tiles.values()].some(({ data }) => data.action === "abort");
}

// --- sound and screen reader: the same news ---

let audio = null;
let sounds = false;
const NOTES = { go: [660, 880], "no-go": [220, 220, 220] };

function announce(data) {
  if (!["go", "no-go", "stopped"].includes(data.state)) return;
  put($("heard"), `${data.port}: ${data.word}. ${data.next}`);
  if (sounds) (NOTES[data.state] ?? []).forEach((pitch, at) => beep(pitch, at * 0.22));
}

function beep(pitch, delay) {
  audio ??= new AudioContext();
  const [tone, volume] = [audio.createOscillator(), audio.createGain()];
  const start = audio.currentTime + delay;
  tone.frequency.value = pitch;
  volume.gain.setValueAtTime(0.2, start);
  volume.gain.exponentialRampToValueAtTime(0.001, start + 0.2);
  tone.connect(volume).connect(audio.destination);
  tone.start(start);
  tone.stop(start + 0.2);
}

function setSound(on) {
  sounds = on;
  $("sound").setAttribute("aria-pressed", String(on));
  put($("sound"), on ? "Sound is on" : "Sound is off");
  try {
    localStorage.setItem(SOUND, on ? "on" : "off");
  } catch {
    // A browser that remembers nothing still makes sounds.
  }
}

function remembered() {
  try {
    return localStorage.getItem(SOUND) === "on";
  } catch {
    return false;
  }
}

// --- acting ---

async function act(action, port) {
  if (!action) return;
  try {
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch(`/${action}`, { method: "POST", headers, body: JSON.stringify({ port }) });
    say(answer.ok ? "" : await answer.text());
  } catch {
    say("The bench does not answer. Nothing was done.");
  }
}

function say(text) {
  put($("said"), text);
  $("said").hidden = !text;
}

// --- the line to the bench ---

let source = null;
let silence = 0;
let skew = 0; // seconds that the bench's clock is ahead of this one

function connect() {
  source?.close();
  source = new EventSource("/events");
  listen("all", ({ tiles: all, totals, now }) => {
    skew = now - Date.now() / 1000;
    const ports = new Set(all.map(({ port }) => port));
    [...tiles.keys()].filter((port) => !ports.has(port)).forEach(remove);
    if ($("tiles").getAttribute("aria-busy")) $("tiles").replaceChildren();
    $("tiles").removeAttribute("aria-busy");
    all.forEach(draw);
    drawTotals(totals);
  });
  listen("tile", draw);
  listen("gone", ({ port }) => remove(port));
  listen("totals", drawTotals);
  listen("beat", () => {});
  source.addEventListener("error", () => {
    lost(true);
    // The browser gives up for good after an answer that is no stream: 403 or 503.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
  });
  watch();
}

function listen(name, take) {
  source.addEventListener(name, (event) => {
    lost(false);
    watch();
    take(JSON.parse(event.data));
    settle();
  });
}

function watch() {
  clearTimeout(silence);
  silence = setTimeout(() => {
    lost(true);
    connect();
  }, HEARTBEAT_MS);
}

function lost(is) {
  $("lost").hidden = !is;
  document.body.classList.toggle("stale", is);
}

function remove(port) {
  tiles.get(port)?.element.remove();
  tiles.delete(port);
}

$("sound").addEventListener("click", () => setSound(!sounds));
$("start-all").addEventListener("click", () => act("start", null));
$("abort-all").addEventListener("click", () => act("abort", null));
setInterval(() => tiles.forEach((tile) => tile.data.state === "working" && drawClock(tile)), 1000);
setSound(remembered());
connect();
