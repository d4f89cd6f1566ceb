// Notes, ratings and actions are saved as they are typed. What is not yet saved stays in this browser, so that neither a
// push, a reload nor a dead connection loses a word. A form sends what its writer changed, and which version that was
// changed from: what somebody else wrote meanwhile is joined to it by the server.
(() => {
  const WAIT = 700, ASIDE = ["version", "uid"], words = document.getElementById("words").dataset;
  const key = (form) => "draft-" + document.body.dataset.room + "-" + (form.dataset.draft || form.id);
  const held = (form) => JSON.parse(localStorage.getItem(key(form)) || "null");
  const values = (form) => Object.fromEntries([...new FormData(form)].filter(([name]) => !ASIDE.includes(name)));
  const known = new WeakMap(); // form -> what the server last said (base), and the save that waits or is under way

  function about(form) {
    if (!known.has(form)) known.set(form, { base: values(form) });
    return known.get(form);
  }
  function line(form, sentence, unsaved) {
    const place = form.querySelector("[data-saved]");
    place.textContent = sentence; place.classList.toggle("is-unsaved", Boolean(unsaved));
  }
  function fill(form, wanted) {
    for (const [name, value] of Object.entries(wanted)) {
      for (const field of form.querySelectorAll(`[name="${name}"]`)) {
        if (field.type === "radio") field.checked = field.value === value;
        else if (field.value !== value) field.value = value;
      }
    }
  }
  function keep(form) {
    const { base } = about(form);
    localStorage.setItem(key(form), JSON.stringify({ base, version: form.elements.version.value, values: values(form) }));
  }
  function later(form, wait) {
    const state = about(form);
    clearTimeout(state.timer);
    state.timer = setTimeout(() => { state.timer = 0; save(form); }, wait);
  }
  async function save(form) {
    const state = about(form), sent = values(form), changed = {};
    if (state.saving) { state.again = true; return; } // its answer brings the version that the next one is changed from
    for (const name in sent) if (sent[name] !== state.base[name]) changed[name] = sent[name];
    if (!Object.keys(changed).length) { localStorage.removeItem(key(form)); return line(form, words.saved); }
    for (const name of ASIDE) if (form.elements[name]) changed[name] = form.elements[name].value;
    let answer;
    state.saving = true;
    try {
      const response = await fetch(form.getAttribute("action"), { method: "POST", body: new URLSearchParams(changed), headers: { Accept: "application/json" } });
      if (response.status >= 500) throw new Error("not saved");
      answer = await response.json();
    } catch {
      line(form, words.unsaved, true);
      return later(form, 3000);
    } finally {
      state.saving = false;
    }
    if (answer.problem) line(form, answer.problem, true); else take(form, sent, changed, answer);
    if (state.again) { state.again = false; later(form, 0); }
  }
  // What was typed since it was sent stays; everything else becomes what the server holds.
  function take(form, sent, changed, answer) {
    const now = values(form), state = about(form);
    let behind = false;
    for (const [name, value] of Object.entries(answer.values)) {
      const theirs = answer.joined || !(name in changed);
      if (theirs && now[name] === sent[name]) fill(form, { [name]: value });
      else if (theirs && now[name]?.startsWith(sent[name])) fill(form, { [name]: value + now[name].slice(sent[name].length) });
      else if (theirs) behind = true; // changed in its middle: let the server join it again
      state.base[name] = theirs ? value : sent[name];
    }
    if (!behind) form.elements.version.value = answer.version;
    if (Object.entries(values(form)).some(([name, value]) => value !== state.base[name])) {
      keep(form);
      return later(form, 300);
    }
    localStorage.removeItem(key(form));
    line(form, answer.joined ? words.joined : words.saved);
  }
  document.addEventListener("focusin", ({ target }) => { const form = target.closest("form[data-draft]"); if (form) about(form); });
  document.addEventListener("input", ({ target }) => {
    const form = target.closest("form[data-draft]");
    if (!form) return;
    keep(form);
    line(form, words.saving);
    later(form, WAIT);
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

  // Drafts come back into their forms, and what others wrote reaches a form unless its own words are still on their way.
  function settle() {
    for (const form of document.querySelectorAll("form[data-draft]")) {
      const draft = !known.has(form) && held(form);
      about(form);
      if (!draft) continue;
      about(form).base = draft.base;
      form.elements.version.value = draft.version;
      fill(form, draft.values);
      line(form, words.saving);
      later(form, 100);
    }
    for (const news of document.querySelectorAll("[data-latest]")) {
      const form = document.getElementById(news.dataset.latest);
      if (!form || held(form) || +news.dataset.version <= +form.elements.version.value || form.contains(document.activeElement)) continue;
      fill(form, JSON.parse(news.dataset.values));
      form.elements.version.value = news.dataset.version;
      about(form).base = values(form);
    }
  }
  document.body.addEventListener("live:shown", settle);
  document.body.addEventListener("live:up", () => { for (const form of document.querySelectorAll("form[data-draft]")) if (held(form)) later(form, 0); });
  settle();
})();
