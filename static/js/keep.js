// A swap closes every <details> that the server did not send open: those that were open are opened again.
(() => {
  let open = [];
  document.addEventListener("htmx:before:swap", () => { open = [...document.querySelectorAll("details[open][id]")].map((one) => one.id); });
  document.addEventListener("htmx:after:swap", () => { for (const id of open) document.getElementById(id)?.setAttribute("open", ""); });
})();
