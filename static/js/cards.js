// The page for paper cards says how many are in the batch while they are typed.
(() => {
  const sum = document.getElementById("sum"), form = document.getElementById("cards");
  if (!sum) return;
  const add = () => {
    sum.querySelector("b").textContent = [...form.querySelectorAll("input[type=number]")].reduce((all, one) => all + (+one.value || 0), 0);
    sum.hidden = false;
  };
  form.addEventListener("input", add);
  add();
})();
