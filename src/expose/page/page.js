// Keeps the page as it is on the server. Without this script every page is whole, and is as it was when it was loaded.
"use strict";

const main = document.getElementById("main");
const live = document.getElementById("live");
const form = document.querySelector("form");
document.documentElement.classList.add("scripted");

// Makes `old` look like `fresh` and leaves alone what is alike, so that focus, selection and scrolling stay. Children with
// a key are known by it, others by their place.
function morph(old, fresh) {
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const wantedKeys = new Set([...fresh.children].map((child) => child.dataset.key));
  const keyed = new Map();
  for (const child of [...old.children]) {
    const { key } = child.dataset;
    if (key && !wantedKeys.has(key)) child.remove();
    else if (key) keyed.set(key, child);
  }
  let place = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const known = keyed.get(wanted.dataset?.key);
    if (known) {
      if (known === place) place = place.nextSibling;
      else old.insertBefore(known, place);
      morph(known, wanted);
    } else if (place && !place.dataset?.key && alike(place, wanted)) {
      const next = place.nextSibling;
      if (place.nodeType === Node.ELEMENT_NODE) morph(place, wanted);
      else if (place.data !== wanted.data) place.data = wanted.data;
      place = next;
    } else {
      old.insertBefore(wanted, place);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

const alike = (one, other) => one.nodeType === other.nodeType && one.nodeName === other.nodeName;

// One fetch at a time; what changes meanwhile is fetched after it.
let fetching = false;
let stale = false;
async function refresh() {
  stale = true;
  if (fetching) return;
  fetching = true;
  while (stale) {
    stale = false;
    const address = location.href;
    // Where the server is away the stream of events notices too, says so, and leads here again.
    const html = await fetch(address).then((answer) => answer.text(), () => undefined);
    // The address may have changed meanwhile.
    if (address !== location.href) stale = true;
    else if (html) show(new DOMParser().parseFromString(html, "text/html"));
  }
  fetching = false;
}

function show(fresh) {
  const wanted = fresh.getElementById("main");
  if (!wanted) return;
  document.title = fresh.title;
  const focused = document.activeElement;
  morph(main, wanted);
  // What was moved has lost it.
  if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
}

// Nobody looks at a hidden page, and each stream takes one of the server's connections.
let events;
function follow() {
  events?.close();
  events = undefined;
  if (document.hidden) return;
  events = new EventSource("events");
  events.addEventListener("open", () => say("live"));
  events.addEventListener("view", refresh);
  events.addEventListener("error", () => say("not connected, trying again"));
}

function say(words) {
  if (live.textContent !== words) live.textContent = words;
  live.classList.toggle("on", words === "live");
}

// The form acts as one types, and needs no button; with the address changed too, so that it can be sent to somebody.
if (form) {
  const apply = () => {
    const asked = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value) asked.append(name, value);
    const query = asked.toString();
    history.replaceState(null, "", query ? `?${query}` : location.pathname);
    refresh();
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    apply();
  });
}

document.addEventListener("visibilitychange", follow);
follow();
