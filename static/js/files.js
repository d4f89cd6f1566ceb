// A document that takes a while to make says so while it is made. Without this script its link is a plain download.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-slow]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (link.getAttribute("aria-disabled")) return;
  const words = document.getElementById("words").dataset, line = link.parentElement.querySelector(".file__state"), bar = document.createElement("progress");
  link.setAttribute("aria-disabled", "true");
  line.replaceChildren(words.making + " ", bar);
  try {
    const answer = await fetch(link.href);
    if (!answer.ok) throw new Error(answer.status);
    const file = document.createElement("a");
    file.href = URL.createObjectURL(await answer.blob());
    file.download = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition"))[1];
    file.click();
    setTimeout(() => URL.revokeObjectURL(file.href), 60000);
    line.textContent = words.ready;
  } catch {
    line.textContent = words.failed;
  }
  link.removeAttribute("aria-disabled");
});
