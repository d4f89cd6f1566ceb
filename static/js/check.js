// The room check asks every two seconds whether a phone has come, and says only what is new.
(() => {
  const place = document.getElementById("seen");
  const stands = (within) => within.querySelector("[data-seen]").dataset.seen;
  async function ask() {
    try {
      const answer = await fetch(place.dataset.ask);
      if (answer.ok) {
        const said = new DOMParser().parseFromString(await answer.text(), "text/html").body;
        if (stands(said) !== stands(place)) place.replaceChildren(...said.childNodes);
      }
    } catch { /* the program is away: the next time, then */ }
    if (stands(place) !== "phone") setTimeout(ask, 2000);
  }
  setTimeout(ask, 2000);
})();
