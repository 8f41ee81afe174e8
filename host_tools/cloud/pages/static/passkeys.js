// Passkeys (WebAuthn level 3, section 5). A form that needs one asks the browser, carries the answer in its
// hidden field `credential`, and is sent like any other. Browsers that cannot do it never show the form.
"use strict";

const ANOTHER_MS = 240000; // a challenge is good for five minutes
const ABLE = window.PublicKeyCredential !== undefined && "parseRequestOptionsFromJSON" in PublicKeyCredential;

async function optionsOf(form) {
  if (form.dataset.options) return JSON.parse(form.dataset.options);
  const answer = await fetch(form.dataset.passkey, {cache: "no-store"});
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

async function made(form) {
  const options = PublicKeyCredential.parseCreationOptionsFromJSON(await optionsOf(form));
  return navigator.credentials.create({publicKey: options});
}

async function signed(form, more) {
  const options = PublicKeyCredential.parseRequestOptionsFromJSON(await optionsOf(form));
  return navigator.credentials.get({publicKey: options, ...more});
}

function send(form, credential) {
  form.elements.credential.value = JSON.stringify(credential);
  form.submit();
}

function say(form, failed) {
  form.querySelector("[data-failed]").hidden = !failed;
  form.querySelector("button").disabled = !failed;
}

// In the list of the field for the e-mail, while nobody has pressed a button.
async function offerInField(form, stop) {
  const conditional = PublicKeyCredential.isConditionalMediationAvailable;
  if (!conditional || !await conditional.call(PublicKeyCredential)) return;
  while (!stop.signal.aborted) {
    const turn = new AbortController();
    const end = () => turn.abort();
    stop.signal.addEventListener("abort", end, {once: true});
    const timer = setTimeout(end, ANOTHER_MS);
    try {
      return send(form, await signed(form, {mediation: "conditional", signal: turn.signal}));
    } catch (error) {
      if (error.name !== "AbortError") return;
    } finally {
      clearTimeout(timer);
      stop.signal.removeEventListener("abort", end);
    }
  }
}

function offerPasskey(form) {
  const stop = new AbortController();
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    stop.abort();
    say(form, false);
    try {
      send(form, await (form.dataset.make === undefined ? signed(form, {}) : made(form)));
    } catch {
      say(form, true);
    }
  });
  if (form.dataset.conditional !== undefined) offerInField(form, stop);
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
}

if (ABLE) document.querySelectorAll("form[data-passkey], form[data-options]").forEach(offerPasskey);
else for (const place of document.querySelectorAll("[data-unable]")) place.hidden = false;
