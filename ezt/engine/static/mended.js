// Whoever opens the desk for the first time in a browser is asked for its password before any page of it is refused, and
// led on to where they were going.
if (!localStorage.getItem("prefect-password") && location.pathname !== "/login") {
  const wanted = location.pathname + location.search + location.hash;
  location.replace(`/login?redirect=${encodeURIComponent(wanted)}`);
}
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
