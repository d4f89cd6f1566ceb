// Keys and clickers. A key presses the button that names it in data-key, so the keys that work are the buttons there are.
// Screen and console both take keys; the screen only passes them on to a console window of the same browser.
(() => {
  const role = document.body.dataset.role, room = document.body.dataset.room, channel = new BroadcastChannel("keys-" + room);
  const forClicker = new Set(["PageDown", "PageUp", "ArrowRight", "ArrowLeft", " ", "Escape"]);
  const lettersOn = () => localStorage.getItem("letters") !== "off";
  const named = (key) => (key === " " ? "Space" : key.length === 1 ? key.toLowerCase() : key);
  const button = (key) => [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key.split(" ").includes(named(key)));
  const tell = (name, detail) => document.dispatchEvent(new CustomEvent("keys:" + name, { detail }));

  function press(key) {
    if (key === "PageUp" || key === "ArrowLeft" || key === "Escape") return tell("back", key);
    const found = button(key);
    if (found) found.click();
  }
  document.addEventListener("keydown", (event) => {
    const { target, key } = event;
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || event.defaultPrevented) return;
    if (target.matches("input:not([type=radio]):not([type=checkbox]), textarea, select")) {
      if (key === "Escape") target.blur();
      else if (key === "PageDown" || key === "PageUp") tell("rest");
      return;
    }
    if (target.matches("input") && !forClicker.has(key)) return;  // a radio button's letters and arrows are its own
    if ((key === " " || key === "Enter") && target.closest("button, a, summary, input, label")) return;
    if (key.startsWith("Arrow") && target.matches("input[type=radio]")) return;
    if (!forClicker.has(key) && (key.length !== 1 || (!lettersOn() && key !== "?"))) return;
    if (role === "f" || button(key)) {
      if (button(key)) { event.preventDefault(); press(key); }
      return;
    }
    channel.postMessage(named(key) === "Space" ? " " : key);
    if (forClicker.has(key)) event.preventDefault();
  });

  // Of several consoles in one browser the one that was used last takes what comes from the screen, and says so: a press
  // counts once. When none says so, because that one was closed, another takes it.
  const me = String(Math.random()), here = "desk-" + room;
  const take = () => localStorage.setItem(here, me);
  let waiting = 0;
  function act(data) {
    take();
    channel.postMessage({ taken: true });
    if (data.fits) tell("fits", data.fits); else press(data);
  }
  if (role === "f") {
    take();
    addEventListener("focus", take);
    channel.onmessage = ({ data }) => {
      clearTimeout(waiting);
      if (data.taken) return;
      if (localStorage.getItem(here) === me) act(data); else waiting = setTimeout(act, 150 + 200 * Math.random(), data);
    };
  }
  document.addEventListener("click", (event) => { if (event.target.id === "letters") localStorage.setItem("letters", event.target.checked ? "on" : "off"); });
  const box = document.getElementById("letters");
  if (box) box.checked = lettersOn();

  // Timers count down here; the server says how much is left whenever it speaks.
  let at = performance.now();
  document.body.addEventListener("live:shown", () => { at = performance.now(); });
  setInterval(() => {
    for (const one of document.querySelectorAll(".timer__left")) {
      const left = Math.max(0, Math.round(one.dataset.left - (performance.now() - at) / 1000));
      const words = Math.floor(left / 60) + ":" + String(left % 60).padStart(2, "0");
      if (one.textContent !== words) one.textContent = words;
    }
  }, 500);
})();
