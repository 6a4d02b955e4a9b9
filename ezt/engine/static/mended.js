// Whoever opens the desk for the first time in a browser is asked for its password before any page of it is refused, and
// led on to where they were going.
if (!localStorage.getItem("prefect-password") && location.pathname !== "/login") {
  const wanted = location.pathname + location.search + location.hash;
  location.replace(`/login?redirect=${encodeURIComponent(wanted)}`);
}
