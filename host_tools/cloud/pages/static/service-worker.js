// Shows what the cloud pushes while no page of it is open (delivery/web_push.py), and leads to its page.
"use strict";

addEventListener("push", (event) => {
  const { title, body, link, tag } = event.data.json();
  const shown = registration.showNotification(title, { body, tag, data: { link }, requireInteraction: true });
  event.waitUntil(shown);
});

async function open(link) {
  const address = new URL(link, location.origin);
  if (address.origin !== location.origin) return;
  const pages = await clients.matchAll({ type: "window" });
  const page = pages.find((client) => "navigate" in client);
  if (!page) return clients.openWindow(address);
  await page.focus();
  return page.navigate(address);
}

addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data.link));
});
