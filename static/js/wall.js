// The shared screen: its one control shows itself when the mouse moves, and nothing is pushed off the picture.
(() => {
  const bar = document.getElementById("wallbar");
  let asleep = 0;
  addEventListener("mousemove", () => {
    bar.classList.add("is-awake");
    clearTimeout(asleep);
    asleep = setTimeout(() => bar.classList.remove("is-awake"), 2500);
  });
  // “Bigger” stops at the last size at which the whole picture still fits. Narrow windows flow as a page does.
  const channel = new BroadcastChannel("keys-" + document.body.dataset.room);
  function fit() {
    const page = document.getElementById("now"), root = document.documentElement;
    root.dataset.theme = page.dataset.theme;
    let shown = +page.dataset.zoom;
    page.style.removeProperty("--zoom");
    if (!matchMedia("(min-width: 1000px) and (min-height: 540px)").matches) return;
    for (const size of [125, 110, 100]) {
      if (root.scrollHeight <= innerHeight && root.scrollWidth <= innerWidth) break;
      if (size < shown) page.style.setProperty("--zoom", (shown = size) / 100);
    }
    if (shown < page.dataset.zoom) channel.postMessage({ fits: shown });  // the console then stops there
  }
  fit();
  document.fonts.ready.then(fit);
  addEventListener("resize", fit);
  document.body.addEventListener("live:shown", fit);
  document.getElementById("fullscreen").addEventListener("click", () => {
    if (document.fullscreenElement) document.exitFullscreen(); else document.documentElement.requestFullscreen();
  });
})();
