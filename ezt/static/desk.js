// The lists lead to a run with #resume: there its form opens by itself, which saves each answer a click. A run that is
// still under way shows the button only once it asks; whoever has gone on to another page meanwhile wants no form.
(() => {
  if (location.hash !== "#resume") return;
  const opened = location.pathname;
  const press = () => {
    const button = [...document.querySelectorAll("button")].find((each) => each.textContent.trim() === "Resume");
    if (location.pathname !== opened || button) watch.disconnect();
    if (location.pathname === opened && button) button.click();
  };
  const watch = new MutationObserver(press);
  watch.observe(document, { childList: true, subtree: true });
})();
