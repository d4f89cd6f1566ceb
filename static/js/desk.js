// The console: a button whose move loses something asks first (data-arm says what, and is as true as the page: answers
// arrive meanwhile); a second press within five seconds makes the move. A press within 400 ms of the last one is a slip.
(() => {
  const help = document.getElementById("keys"), notice = document.getElementById("notice"), words = document.getElementById("words").dataset;
  const status = document.getElementById("status");
  const say = (sentence) => {
    const box = document.createElement("div"), line = document.createElement("strong");
    box.className = "notice notice--wait"; line.textContent = sentence; box.append(line); notice.replaceChildren(box);
    setTimeout(() => { if (box.isConnected) notice.replaceChildren(); }, 8000);
  };
  let armed = null, disarmAt = 0, lastPress = -400;
  const label = (form) => form.querySelector("button > span:not(.plate)");
  const move = (form) => [...new FormData(form)].filter(([name]) => name !== "version").join();
  function disarm() {
    if (!armed) return;
    clearTimeout(disarmAt);
    armed.form.classList.remove("is-armed");
    label(armed.form).textContent = armed.was;
    armed = null;
  }
  // What came has drawn the button as it is when nobody asks, unless it was only a notice. A press that is on its way
  // answered the question: it is a slip when there is none any more.
  document.body.addEventListener("live:shown", () => {
    if (!armed || armed.form.isConnected && label(armed.form).textContent === armed.says) return;
    const { form } = armed, asks = form.isConnected && move(form) === armed.move && form.dataset.arm;
    armed.was = label(form).textContent;
    if (!asks) { lastPress = performance.now(); return disarm(); }
    armed.says = label(form).textContent = asks;
    form.classList.add("is-armed");
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    // .action may be a field of that name; and the big button that ends a break is no move, but may be a slip too
    if (!form.getAttribute("action").endsWith("/move") && !form.querySelector("#main-move")) return;
    const stop = () => { event.preventDefault(); event.stopImmediatePropagation(); };
    if (event.timeStamp - lastPress < 400) return stop();
    lastPress = event.timeStamp;
    if (form.dataset.arm && armed?.form !== form) {
      stop(); disarm();
      armed = { form, move: move(form), was: label(form).textContent, says: form.dataset.arm };
      label(form).textContent = status.textContent = form.dataset.arm;  // read out: the button keeps the focus as it changes
      form.classList.add("is-armed");
      disarmAt = setTimeout(disarm, 5000);
      return;
    }
    disarm();
    notice.replaceChildren();
  }, true);

  // A new step begins at the top, unless somebody is typing.
  let scene = document.getElementById("now").dataset.scene, removing = false;
  document.addEventListener("submit", ({ target }) => {
    removing = target.elements.want?.value === "remove";
    setTimeout(() => { removing = false; }, 3000);
  });
  document.body.addEventListener("live:shown", () => {
    const undo = removing && document.getElementById("undo");
    if (undo) { undo.focus(); removing = false; }  // what was pressed is gone: the way back is next
    const before = scene;
    scene = document.getElementById("now").dataset.scene;
    if (scene === before || document.activeElement.matches("textarea, input:not([type=radio]):not([type=checkbox])")) return;
    document.getElementById("main").scrollTop = 0;
    scrollTo(0, 0);
  });

  // Whoever listens hears of a vote when half have answered and when all have, and of no vote in between.
  const halves = () => { const bar = document.querySelector(".progress__bar"); return bar ? Math.floor(2 * bar.value / bar.max) : 0; };
  let told = halves(), round = scene;
  document.body.addEventListener("live:shown", () => {
    if (halves() > told && round === scene) status.textContent = document.getElementById("turnout").textContent;
    told = round === scene ? Math.max(told, halves()) : halves();
    round = scene;
  });

  let before = null;  // where the focus was: it goes back there
  function showKeys(open) {
    if (help.hidden !== open) return;
    help.hidden = !open;
    if (!open) { before?.focus(); return; }
    before = document.activeElement;
    const rows = [...document.querySelectorAll(".deck [data-key]"), ...document.querySelectorAll(".console__cols [data-key], #now > [hidden] [data-key]")].flatMap((one) => {
      const key = document.createElement("dt"), does = document.createElement("dd");
      key.textContent = one.dataset.key.split(" ").map((name) => ({ Space: words.space, PageDown: "PageDown", PageUp: "PageUp", ArrowRight: words.right, ArrowLeft: words.left, Escape: "Esc" })[name] || name.toUpperCase()).join(", ");
      does.textContent = [...one.childNodes].filter((part) => !(part.classList && part.classList.contains("key"))).map((part) => part.textContent).join(" ").trim();
      return [key, does];
    });
    document.getElementById("keylist").replaceChildren(...rows);
    help.focus();
  }
  document.addEventListener("click", (event) => {
    if (event.target.closest("#help-keys, #key-help")) showKeys(help.hidden);
    if (event.target.id === "key-full") say(words.full);
    if (event.target.closest("#close-keys")) showKeys(false);
  });
  document.addEventListener("htmx:error", () => say(words.lost));
  document.addEventListener("keys:back", ({ detail }) => {
    if (armed) return disarm();
    if (!help.hidden) return showKeys(false);
    const overlay = document.querySelector('.switches [aria-pressed="true"]:not(#timer), #profile[aria-pressed="true"]');
    if (overlay) return overlay.click();
    if (detail === "Escape") return notice.replaceChildren();
    const again = document.getElementById("detour");
    say(document.getElementById("now").dataset.noway + (again?.dataset.key === "r" ? " " + words.again : ""));
  });
  document.addEventListener("keys:rest", () => say(words.rest));

  // “Bigger” that did not fit the shared screen is taken back to what does: the next “smaller” is then seen at once.
  let bigger = -5000;
  document.addEventListener("submit", ({ target }) => { if (target.querySelector("#bigger")) bigger = performance.now(); });
  document.addEventListener("keys:fits", ({ detail }) => {
    if (performance.now() - bigger > 3000) return;
    bigger = -5000;
    const body = new URLSearchParams({ want: "zoom", value: detail });
    fetch(`/f/${document.body.dataset.room}/show`, { method: "POST", body, headers: { "HX-Request": "true" } });
    say(words.fits);
  });
})();
