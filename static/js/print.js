// The report's one button that needs a script.
document.getElementById("print").addEventListener("click", () => print());
