"use strict";
document.documentElement.classList.add("scripted");
for (const form of document.querySelectorAll("#answer, #start")) {
  const parts = () => [...form.querySelectorAll(".of:not(.whole)")];
  const inputs = (part) => [...part.querySelectorAll(":scope > .field input:not([type=checkbox]), :scope > .field select, :scope > .field textarea")];
  const chosen = (name) => {
    const found = form.elements[name];
    return found instanceof RadioNodeList ? found.value : found ? found.value : "";
  };

  // What a choice makes necessary is said, and asked for, as soon as it is chosen: before a one-time code is spent.
  // Without this script the server says the same after the form was sent, and spends no code either.
  const update = () => {
    for (const part of parts()) {
      const needed = part.dataset.needed ? JSON.parse(part.dataset.needed) : null;
      const now = needed !== null && needed.when.includes(chosen(needed.by));
      part.classList.toggle("needed", now);
      for (const input of inputs(part)) {
        input.required = part.dataset.required === "yes" || now;
        const fewest = Math.max(Number(part.dataset.fewest), now ? needed.least : 0);
        if (input.type === "number") [input.min, input.max] = [fewest, part.dataset.most];
        else if (input.type === "text" || input.type === "textarea") input.minLength = fewest;
      }
    }
  };
  form.addEventListener("change", update);
  update();

  // A usual reason goes into its field with a click; without this script it is chosen from the list.
  for (const list of form.querySelectorAll(".phrases")) {
    const field = form.elements[list.dataset.for];
    const buttons = document.createElement("ul");
    buttons.setAttribute("aria-label", "常用语");
    for (const option of list.querySelectorAll("option:not([value=''])")) {
      const button = document.createElement("button");
      [button.type, button.textContent, button.title] = ["button", option.textContent, option.textContent];
      button.addEventListener("click", () => {
        field.value = field.value.trim() ? `${field.value.trimEnd()}\n${option.textContent}` : option.textContent;
        field.dispatchEvent(new Event("change", { bubbles: true }));
        field.focus();
      });
      const item = document.createElement("li");
      item.append(button);
      buttons.append(item);
    }
    list.replaceChildren(buttons);
  }

  if (form.id === "start") {
    offer(form, update);
    continue;
  }

  // What was typed and not sent is kept whenever one stops typing, and when the page is left, whichever way.
  const content = () => JSON.stringify([...new FormData(form)].filter(([name, value]) => typeof value === "string" && name !== "code"));
  let kept = form.dataset.typed ? "" : content();
  let sent = false;
  const keep = () => {
    if (sent || content() === kept) return;
    const draft = new FormData(form);
    for (const name of ["code", "files"]) draft.delete(name);
    kept = content();
    navigator.sendBeacon(form.dataset.draft, new URLSearchParams(draft));
  };
  let pause = 0;
  form.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(keep, 800);
  });
  addEventListener("pagehide", keep);
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") keep(); });

  // Whoever presses twice sends once.
  form.addEventListener("submit", () => {
    sent = true;
    setTimeout(() => { for (const button of document.querySelectorAll("#answer button, button[form=answer]")) button.disabled = true; });
  });
}
// What a form offers follows from what is typed: a type has its fields, a number its certificates. The page asks for itself
// as it would be now, and takes its fields from there. Without this script a button does the same.
function offer(form, update) {
  const leads = form.dataset.leads.split(" ");
  const typed = () => [...form.querySelectorAll(".offered input, .offered select, .offered textarea")];
  const ask = async (what) => {
    const body = new FormData(form);
    body.delete("files");
    body.set("do", what);
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(body) });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#start .offered");
    if (page === null) return;
    // What was typed meanwhile stays.
    for (const now of typed()) {
      const those = [...page.querySelectorAll(`[name="${CSS.escape(now.name)}"]`)];
      const then = those.find((each) => each.type !== "radio" || each.value === now.value);
      if (then === undefined || what === "found" && leads.includes(now.name)) continue;
      if (now.type === "radio" || now.type === "checkbox") then.checked = now.checked;
      else if (then.type === "radio") then.checked = true;
      else if (now.value) then.value = now.value;
    }
    const focused = document.activeElement.id;
    form.querySelector(".offered").replaceChildren(...page.childNodes);
    if (focused) document.getElementById(focused)?.focus();
    update();
  };
  form.addEventListener("change", (event) => {
    if (leads.includes(event.target.name)) ask("look");
    else if (event.target.name === "found") ask("found");
  });
  form.addEventListener("keydown", (event) => {
    if (event.target.name !== "find" || event.key !== "Enter") return;
    event.preventDefault();
    ask("find");
  });
  form.addEventListener("click", (event) => {
    if (event.target.name !== "do" || !["look", "find"].includes(event.target.value)) return;
    event.preventDefault();
    ask(event.target.value);
  });
}

// A receipt is printed with a click.
for (const button of document.querySelectorAll("button.print")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

// A page that the browser brings back as it was left may not be true any more.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

// On paper nothing can be opened; browsers of some years ago do not do it by the style sheet.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  for (const each of opened) each.open = true;
});
addEventListener("afterprint", () => { for (const each of opened) each.open = false; });

// A picture is looked at closely where it stands.
for (const picture of document.querySelectorAll(".picture")) {
  picture.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    picture.classList.toggle("near");
  });
}

// A page that answers a wrong code is gone back to, and loaded again, without its form being sent once more.
const address = document.querySelector("[data-address]")?.dataset.address;
if (address) history.replaceState(null, "", address);
