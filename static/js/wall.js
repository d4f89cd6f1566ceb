// The shared screen: its one control shows itself when the mouse moves.
(() => {
  const bar = document.getElementById("wallbar");
  let asleep = 0;
  addEventListener("mousemove", () => {
    bar.classList.add("is-awake");
    clearTimeout(asleep);
    asleep = setTimeout(() => bar.classList.remove("is-awake"), 2500);
  });
  document.getElementById("fullscreen").addEventListener("click", () => {
    if (document.fullscreenElement) document.exitFullscreen(); else document.documentElement.requestFullscreen();
  });
})();
