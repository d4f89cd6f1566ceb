// The set-up page: whoever works with the keyboard stays where the work was. What was pressed may be gone afterwards: the
// focus then goes to “Undo”, to the heading of what was unfolded, or to the line that says how long the agenda is.
(() => {
  let was = null, near = null, pressed = null, removing = false;
  document.addEventListener("submit", ({ target, submitter }) => { removing = target.elements.want?.value === "drop"; pressed = submitter; }, true);
  document.addEventListener("htmx:before:swap", () => {
    was = document.activeElement;
    if (was === document.body && pressed) was = pressed;  // some browsers do not give a button that is clicked the focus
    pressed = null;
    near = was.closest("details")?.id;
  });
  document.addEventListener("htmx:after:swap", () => {
    if (!was || was === document.body || was.isConnected) return;
    const place = (removing && document.getElementById("undo")) || document.getElementById(near)?.querySelector("summary");
    (place || document.getElementById("running")).focus();
    was = null; removing = false;
  });
})();
