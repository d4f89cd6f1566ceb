// Notes, ratings and actions are saved as they are typed. What is not yet saved stays in this browser, so that neither a
// push, a reload nor a dead connection loses a word; what somebody else wrote meanwhile is joined to it by the server.
(() => {
  const room = document.body.dataset.room, key = (form) => "draft-" + room + "-" + form.id;
  const timers = new Map(), held = (form) => JSON.parse(localStorage.getItem(key(form)) || "null");
  const values = (form) => Object.fromEntries([...new FormData(form)].filter(([name]) => name !== "version"));
  const line = (form, words, unsaved) => {
    const place = form.querySelector("[data-saved]");
    place.textContent = words; place.classList.toggle("is-unsaved", Boolean(unsaved));
  };
  function fill(form, wanted) {
    for (const [name, value] of Object.entries(wanted)) {
      for (const field of form.querySelectorAll(`[name="${name}"]`)) {
        if (field.type === "radio") field.checked = field.value === value;
        else if (field.value !== value) field.value = value;
      }
    }
  }
  function later(form, wait) {
    clearTimeout(timers.get(form.id));
    timers.set(form.id, setTimeout(() => save(form), wait));
  }
  async function save(form) {
    const sent = values(form), body = new URLSearchParams({ ...sent, version: form.elements.version.value });
    let answer;
    try {
      const response = await fetch(form.getAttribute("action"), { method: "POST", body, headers: { Accept: "application/json" } });
      if (response.status >= 500) throw new Error("not saved");
      answer = await response.json();
    } catch {
      line(form, "Not saved yet. Trying again; your words are kept here.", true);
      return later(form, 3000);
    }
    if (answer.problem) return line(form, answer.problem, true);
    form.elements.version.value = answer.version;
    if (JSON.stringify(values(form)) !== JSON.stringify(sent)) return later(form, 300);
    localStorage.removeItem(key(form));
    if (answer.joined) fill(form, answer.values);
    line(form, answer.joined ? "Saved. Somebody else wrote here too, so both texts are kept." : "Saved");
  }
  document.addEventListener("input", ({ target }) => {
    const form = target.closest("form[data-draft]");
    if (!form) return;
    localStorage.setItem(key(form), JSON.stringify(values(form)));
    line(form, "Saving…");
    later(form, 700);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-draft]")) { event.preventDefault(); later(form, 0); }
    if (form.matches("[data-reset]")) form.sent = JSON.stringify(values(form));
  }, true);
  // Emptied for the next one, unless that is being typed already: the answer may come late.
  document.addEventListener("htmx:after:request", ({ target, detail: { ctx } }) => {
    if (target.matches?.("form[data-reset]") && ctx.response.status < 400 && JSON.stringify(values(target)) === target.sent) target.reset();
  });

  // What others wrote reaches a form here unless its own words are still on their way.
  function settle() {
    for (const news of document.querySelectorAll("[data-latest]")) {
      const form = document.getElementById(news.dataset.latest);
      if (!form) continue;
      const draft = held(form);
      if (draft && !timers.has(form.id)) { fill(form, draft); line(form, "Saving…"); later(form, 100); }
      if (draft || +news.dataset.version <= +form.elements.version.value || form.contains(document.activeElement)) continue;
      fill(form, JSON.parse(news.dataset.values));
      form.elements.version.value = news.dataset.version;
    }
  }
  document.body.addEventListener("live:shown", settle);
  document.body.addEventListener("live:up", () => { for (const form of document.querySelectorAll("form[data-draft]")) if (held(form)) later(form, 0); });
  settle();
})();
