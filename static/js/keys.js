// Keys and clickers. A key presses the button that names it in data-key, so the keys that work are the buttons there are.
// Screen and console both take keys; the screen only passes them on to a console window of the same browser.
(() => {
  const role = document.body.dataset.role, channel = new BroadcastChannel("keys-" + document.body.dataset.room);
  const forClicker = new Set(["PageDown", "PageUp", "ArrowRight", "ArrowLeft", " ", "Escape"]);
  const lettersOn = () => localStorage.getItem("letters") !== "off";
  const named = (key) => (key === " " ? "Space" : key.length === 1 ? key.toLowerCase() : key);
  const button = (key) => [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key.split(" ").includes(named(key)));

  function press(key) {
    if (key === "PageUp" || key === "ArrowLeft" || key === "Escape") return document.dispatchEvent(new CustomEvent("keys:back", { detail: key }));
    const found = button(key);
    if (found) found.click();
  }
  document.addEventListener("keydown", (event) => {
    const { target, key } = event;
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || event.defaultPrevented) return;
    if (target.matches("input:not([type=radio]):not([type=checkbox]), textarea, select")) return;
    if ((key === " " || key === "Enter") && target.closest("button, a, summary, input, label")) return;
    if (key.startsWith("Arrow") && target.matches("input[type=radio]")) return;
    if (!forClicker.has(key) && (key.length !== 1 || (!lettersOn() && key !== "?"))) return;
    if (button(key)) { event.preventDefault(); press(key); return; }
    if (role === "s") { channel.postMessage(named(key) === "Space" ? " " : key); if (forClicker.has(key)) event.preventDefault(); return; }
    if (forClicker.has(key)) { event.preventDefault(); press(key); }
  });
  channel.onmessage = ({ data }) => { if (role === "f") press(data); };
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
