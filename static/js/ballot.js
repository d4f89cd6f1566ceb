// The ballot: a choice is sent 600 ms after the last change and sent again until the server has it. What this phone
// answered is kept in this tab only, so that it can say what was counted and which way a second answer moved.
(() => {
  const kept = (round) => JSON.parse(sessionStorage.getItem("a-" + round) || "null");
  const keep = (round, answer) => sessionStorage.setItem("a-" + round, JSON.stringify(answer));
  const form = () => document.querySelector('form[id^="ballot-"]');
  const mine = () => document.querySelector('[id^="mine-"]');
  const status = document.getElementById("status");
  let pause = 0, retry = 0, tries = 0;

  const words = (input) => {
    const face = input.nextElementSibling, n = face.querySelector(".choice__n");
    return (n ? n.textContent + ", " : "") + face.querySelector(".choice__t").textContent;
  };
  function band(name, fill) {
    const copy = document.getElementById("band-" + name).content.cloneNode(true);
    const place = copy.querySelector("[data-answer]");
    if (place) place.textContent = fill;
    mine().replaceChildren(copy);
  }
  function direction(of, choice) {
    const first = of.dataset.first && kept(of.dataset.first);
    if (!first || !(first.choice > 0) || !(choice > 0)) return "";
    return +choice > +first.choice ? "up" : +choice < +first.choice ? "down" : "same";
  }
  function send() {
    const ballot = form(), answer = ballot && kept(ballot.dataset.round);
    if (!answer || answer.in) return;
    ballot.elements.seq.value = answer.seq;
    ballot.elements.direction.value = direction(ballot, answer.choice);
    htmx.trigger(ballot, "ballot:send");
  }
  function sendAgain() {
    clearTimeout(retry);
    if (tries > 0) band("unsent");
    retry = setTimeout(send, Math.min(8000, 500 * 2 ** tries) * (0.5 + Math.random()));
    tries += 1;
  }

  document.addEventListener("change", (event) => {
    const ballot = event.target.closest('form[id^="ballot-"]');
    if (!ballot || event.target.name !== "choice") return;
    const seq = Math.max(+ballot.elements.seq.value, (kept(ballot.dataset.round)?.seq || 0) + 1);
    keep(ballot.dataset.round, { choice: event.target.value, words: words(event.target), seq, in: false, before: kept(ballot.dataset.round)?.last });
    ballot.querySelector(".choices").classList.add("is-pending");
    band("sending");
    tries = 0;
    clearTimeout(pause); clearTimeout(retry);
    pause = setTimeout(send, 600);
  });
  document.addEventListener("submit", (event) => {
    if (event.target === form()) { event.preventDefault(); send(); }
  }, true);

  document.addEventListener("htmx:after:request", ({ target, detail: { ctx } }) => {
    if (target !== form()) return;
    const round = target.dataset.round, answer = kept(round), code = ctx.response.status;
    if (!answer) return;
    if (code >= 500) return sendAgain();
    if (code >= 400) { keep(round, { ...answer, in: true, late: true }); return; }
    const counted = /data-choice="(\w+)" data-seq="(\d+)"/.exec(ctx.text);
    if (!counted || +counted[2] < answer.seq) return;
    tries = 0;
    keep(round, { ...answer, in: true, last: answer.words });
    target.querySelector(".choices").classList.remove("is-pending");
    status.textContent = /<strong>([^<]*)/.exec(ctx.text)[1];
  });
  document.addEventListener("htmx:error", ({ target }) => { if (target === form()) sendAgain(); });
  document.body.addEventListener("live:up", () => { if (tries) { clearTimeout(retry); send(); } });

  // After every swap the page is the server's; what only this phone knows is put back.
  async function settle() {
    const page = document.getElementById("now"), [stage, round] = page.dataset.scene.split("-");
    if (stage === "finished") return sessionStorage.clear();
    const first = form()?.dataset.first && kept(form().dataset.first), line = document.querySelector(".first");
    if (line && first) { line.hidden = false; line.querySelector("[data-answer]").textContent = first.words; }
    const answer = kept(round);
    if (!answer) return;
    const input = [...page.querySelectorAll('input[name="choice"]')].find((one) => one.value === answer.choice);
    if (stage === "voting") {
      if (input && !answer.in && !input.checked) { input.checked = true; page.querySelector(".choices").classList.add("is-pending"); tries = 1; sendAgain(); }
      return;
    }
    if (!answer.in) await tell(round, answer);
    const late = kept(round).late;
    if (stage === "closed" && !late) { if (input) input.checked = true; band("counted", answer.words); }
  }
  // An answer that was still on its way when voting closed: ask once, so that the phone says what became of it.
  async function tell(round, answer) {
    const form = new URLSearchParams({ round, choice: answer.choice, seq: answer.seq });
    try {
      const said = await fetch(document.body.dataset.live + "/ballot", { method: "POST", body: form, headers: { "HX-Request": "true" } });
      const html = await said.text();
      keep(round, { ...answer, in: true, late: !said.ok });
      if (!said.ok) htmx.swap({ text: html, target: "#" + mine().id, swap: "innerHTML", sourceElement: document.body });
    } catch { /* the line is down: the next swap asks again */ }
  }
  document.body.addEventListener("live:shown", settle);
  settle();
})();
