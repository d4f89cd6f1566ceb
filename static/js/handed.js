// A device that is handed round. It keeps nothing: not on the page, not in this tab, not in the way back. Its page turns
// to the next question by itself, and an answer that could not be sent is sent again until the server has it.
(() => {
  const here = document.body.dataset.here;
  let sending = false;
  sessionStorage.clear();
  addEventListener("pageshow", (event) => { if (event.persisted) location.replace(here); });

  async function look() {
    if (sending) return setTimeout(look, 3000);  // somebody waits to hear what became of an answer
    try {
      const answer = await fetch(here + "/handed?order=" + document.body.dataset.order);
      if (answer.status === 200 || answer.status === 404) return location.replace(here);
    } catch { /* the line is down: the next look may find it */ }
    setTimeout(look, 3000);
  }
  setTimeout(look, 3000);

  const form = document.querySelector("form[id^=handed-]");
  if (!form) return;
  const button = document.getElementById("count"), outcome = document.getElementById("outcome");
  const say = (id) => outcome.replaceChildren(document.getElementById(id).content.cloneNode(true));
  let tries = 0;
  async function send(body) {
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" } });
      if (answer.status === 200) return location.replace(here + "/counted");
      if (answer.status === 404) return location.replace(here);
      if (answer.status < 500) {
        const said = new DOMParser().parseFromString(await answer.text(), "text/html");
        outcome.replaceChildren(...said.body.childNodes);
        sending = button.disabled = false;
        return;
      }
    } catch { /* said below */ }
    say("unsent");
    setTimeout(() => send(body), Math.min(8000, 500 * 2 ** tries++));
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (sending) return;
    sending = button.disabled = true;
    send(new URLSearchParams(new FormData(form)));  // as it was when the button was pressed, however often it is sent
  });
})();
