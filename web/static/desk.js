"use strict";
document.documentElement.classList.add("scripted");
for (const form of document.querySelectorAll("#answer")) {
  const parts = [...form.querySelectorAll(".of")];
  const inputs = (part) => [...part.querySelectorAll(":scope > .field input, :scope > .field select, :scope > .field textarea")];
  const chosen = (name) => {
    const found = form.elements[name];
    return found instanceof RadioNodeList ? found.value : found ? found.value : "";
  };

  // What a choice makes necessary is said, and asked for, as soon as it is chosen: before a one-time code is spent.
  // Without this script the server says the same after the form was sent, and spends no code either.
  const update = () => {
    for (const part of parts) {
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
