// The ballot: a choice is sent 600 ms after the last change and sent again until the server has it. What this phone
// answered is kept in this tab only, so that it can say what was counted and which way a second answer moved.
(() => {
  // By round: choice, words, seq; attempts to send it; in: the server has answered; counted: the last words it took;
  // late: it was refused because voting had closed.
  const kept = (round) => JSON.parse(sessionStorage.getItem("a-" + round) || "null");
  const keep = (round, answer) => sessionStorage.setItem("a-" + round, JSON.stringify(answer));
  const form = () => document.querySelector('form[id^="ballot-"]');
  const mine = () => document.querySelector('[id^="mine-"]');
  const status = document.getElementById("status");
  let pause = 0, retry = 0, slow = 0, tries = 0;

  const words = (input) => {
    const face = input.nextElementSibling, n = face.querySelector(".choice__n");
    return (n ? n.textContent + ", " : "") + face.querySelector(".choice__t").textContent;
  };
  // A dot vote has boxes, of which several may be ticked; its choice is d and their numbers, as the server writes it.
  const inputs = (place) => [...place.querySelectorAll('input[name="choice"]')];
  const holds = (choice, one) => choice === one.value || choice[0] === "d" && choice.slice(1).split(".").includes(one.value);
  function band(name, fill) {
    const copy = document.getElementById("band-" + name).content.cloneNode(true);
    const place = copy.querySelector("[data-answer]");
    if (place && fill) { place.textContent = fill; place.parentNode.hidden = false; }
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
    keep(ballot.dataset.round, { ...answer, attempts: answer.attempts + 1 });
    ballot.elements.seq.value = answer.seq;
    ballot.elements.direction.value = direction(ballot, answer.choice);
    htmx.trigger(ballot, "ballot:send");
  }
  function sendAgain() {
    clearTimeout(retry); clearTimeout(slow);
    band("unsent");
    document.title = status.dataset.unsent.replace("…", form().dataset.plate);
    retry = setTimeout(send, Math.min(8000, 500 * 2 ** tries) * (0.5 + Math.random()));
    tries += 1;
  }

  document.addEventListener("change", ({ target }) => {
    const ballot = target.closest('form[id^="ballot-"]');
    if (!ballot || target.name !== "choice") return;
    const chosen = inputs(ballot).filter((one) => one.checked), dots = target.type === "checkbox";
    if (chosen.length > 3) { target.checked = false; band("full"); status.textContent = mine().textContent.trim(); return; }
    const choice = dots ? "d" + chosen.map((one) => one.value).join(".") : target.value;
    const said = dots ? chosen.map((one) => words(one).split(",")[0]).join(", ") || status.dataset.nodots : words(target);
    const round = ballot.dataset.round, old = kept(round) || {};
    const seq = Math.max(+ballot.elements.seq.value, (old.seq || 0) + 1);
    keep(round, { choice, words: said, seq, attempts: 0, in: false, counted: old.counted });
    ballot.querySelector(".choices").classList.add("is-pending");
    band("sending");
    tries = 0;
    clearTimeout(pause); clearTimeout(retry); clearTimeout(slow);
    pause = setTimeout(send, 600);
    slow = setTimeout(() => { status.textContent = document.getElementById("band-sending").content.textContent.trim(); }, 1600);
  });
  document.addEventListener("submit", (event) => {
    if (event.target === form()) { event.preventDefault(); send(); }
  }, true);

  document.addEventListener("htmx:after:request", ({ target, detail: { ctx } }) => {
    if (target !== form()) return;
    const round = target.dataset.round, answer = kept(round), code = ctx.response.status;
    if (!answer) return;
    if (code >= 500) return sendAgain();
    clearTimeout(slow);
    if (code >= 400) return keep(round, { ...answer, in: true, late: true });
    const counted = /data-choice="[\w.]+" data-seq="(\d+)" data-words="([^"]*)"/.exec(ctx.text);
    if (!counted || +counted[1] < answer.seq) return;
    tries = 0;
    keep(round, { ...answer, in: true, counted: answer.words });
    target.querySelector(".choices").classList.remove("is-pending");
    document.title = status.dataset.counted.replace("…", target.dataset.plate);
    status.textContent = new DOMParser().parseFromString(ctx.text, "text/html").querySelector("strong").textContent;
  });
  document.addEventListener("htmx:error", ({ target }) => { if (target === form()) sendAgain(); });
  document.body.addEventListener("live:up", () => { if (tries) { clearTimeout(retry); send(); } });

  // After every swap the page is the server's; what only this phone knows is put back.
  function settle() {
    const page = document.getElementById("now"), [stage, round] = page.dataset.scene.split("-");
    if (stage === "finished") return sessionStorage.clear();
    const first = form()?.dataset.first && kept(form().dataset.first), line = document.querySelector(".first");
    if (line && first) { line.hidden = false; line.querySelector("[data-answer]").textContent = first.words; }
    const answer = kept(round);
    if (!answer) return;
    const all = inputs(page);
    if (stage === "voting") {
      if (answer.in || !all.length || all.every((one) => one.checked === holds(answer.choice, one))) return;
      for (const one of all) one.checked = holds(answer.choice, one);
      page.querySelector(".choices").classList.add("is-pending");
      return sendAgain();
    }
    // The swap keeps what was checked; only an answer that was counted may stay drawn as one.
    for (const one of all) if (holds(answer.choice, one)) one.checked = answer.in && !answer.late;
    // Sent without an answer: it may have been counted, and nobody can look it up any more. Say just that.
    if (!answer.in) band(answer.attempts ? "unsure" : "late", answer.counted);
    else if (answer.late) band(answer.attempts > 1 ? "unsure" : "late", answer.counted);
    else if (stage === "closed") band("counted", answer.counted);
  }
  document.body.addEventListener("live:shown", settle);
  settle();
  // Tapped while this script was still on its way: the mark is not the server's, so it has not been sent.
  form()?.querySelector("input:checked:not([checked])")?.dispatchEvent(new Event("change", { bubbles: true }));
})();
