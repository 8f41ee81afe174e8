// Subscribes this browser to notices (pages/push.py). Where it cannot, the page says so.
"use strict";

function bytes(text) {
  return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.codePointAt(0));
}

async function subscribe(key) {
  if (await Notification.requestPermission() !== "granted") return null;
  await navigator.serviceWorker.register("/service-worker.js");
  const { pushManager } = await navigator.serviceWorker.ready;
  const old = await pushManager.getSubscription();
  if (old) await old.unsubscribe(); // it may be of another key
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) });
}

for (const form of document.querySelectorAll("form[data-push]")) {
  const able = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
  form.hidden = !able;
  document.querySelector("[data-unable]").hidden = able;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const failed = form.querySelector("[data-failed]");
    failed.hidden = true;
    const subscription = await subscribe(form.dataset.push).catch(() => null);
    if (!subscription) { failed.hidden = false; return; }
    form.elements.subscription.value = JSON.stringify(subscription);
    form.submit();
  });
}
