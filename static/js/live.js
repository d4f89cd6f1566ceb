// The line between page and server: takes pushed fragments, asks again when one may have been missed, says so when the
// line is down. The page works before this runs.
(() => {
  const body = document.body, root = document.documentElement;
  const status = document.getElementById("status");
  const now = () => document.getElementById("now");
  if (!now()) return;
  const order = (element) => element.dataset.order.split(".").map(Number);
  const say = (words) => { if (words && status.textContent !== words) status.textContent = words; };
  let { scene, back } = now().dataset, focused = null, hiddenAt = 0, away = false;

  // Whatever brings a fragment, a push, a request or a form's answer: one that is older than the page is dropped.
  document.addEventListener("htmx:before:swap", (event) => {
    const found = /id="now"[^>]*?data-order="(\d+)\.(\d+)"/.exec(event.detail.ctx.text);
    if (!found) return;
    const [version, tick] = order(now());
    if (+found[1] < version || (+found[1] === version && +found[2] < tick)) return event.preventDefault();
    focused = document.activeElement;
  });
  document.addEventListener("htmx:after:swap", () => {
    const page = now(), data = page.dataset;
    if (focused && (!focused.isConnected || focused.disabled)) page.querySelector("h1")?.focus();
    focused = null;
    if (data.scene !== scene) {
      say((away ? status.dataset.away + " " : "") + data.say);
      if (data.say && body.dataset.role === "p") scrollTo(0, 0);
    } else if (data.back !== back) say(data.back || status.dataset.over);
    ({ scene, back } = data);
    away = false;
    body.dispatchEvent(new CustomEvent("live:shown"));
  });

  const show = (html) => htmx.swap({ text: html, target: "#now", swap: "outerMorph", sourceElement: body });
  async function sync() {
    try {
      const answer = await fetch(body.dataset.live + "/now?order=" + now().dataset.order, { headers: { "HX-Request": "true" } });
      if (answer.status === 200) show(await answer.text());
      else if (answer.status === 204) away = false;
      else if (answer.status === 404) location.reload();
      // the line is down: the socket says so, and the next try comes by itself
    } catch {}
  }

  const socket = io({
    query: { r: body.dataset.room, role: body.dataset.role },
    transports: ["websocket", "polling"], tryAllTransports: true,
    reconnectionDelay: 500, reconnectionDelayMax: 1000, randomizationFactor: 1,
    auth: (give) => give({ order: order(now()) }),
  });
  let silence = 0;
  function line(state) {
    if (state === "up") {
      clearTimeout(silence); silence = 0;
      if (root.dataset.io === "down") say(status.dataset.up);
      root.dataset.io = "up";
      // said once, however often it fails
    } else if (!silence) silence = setTimeout(() => { root.dataset.io = "down"; say(status.dataset.down); }, 3000);
    body.dispatchEvent(new CustomEvent("live:" + state));
  }
  socket.on("connect", () => line("up"));
  socket.on("now", (message) => show(message.html));
  socket.on("disconnect", (reason) => {
    line("lost");
    if (reason === "io server disconnect") setTimeout(() => socket.connect(), 1000);
  });
  socket.on("connect_error", () => {
    line("lost");
    if (!socket.active) setTimeout(() => location.reload(), 2000 + 3000 * Math.random());
  });

  const wake = () => { if (!socket.connected) socket.connect(); sync(); };
  addEventListener("online", wake);
  addEventListener("pageshow", (event) => { if (event.persisted) wake(); });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { hiddenAt = Date.now(); return; }
    away = hiddenAt > 0 && Date.now() - hiddenAt > 20000;
    wake();
  });
  (function again() { setTimeout(() => { if (!document.hidden) sync(); again(); }, 12000 + 6000 * Math.random()); })();
})();
