"use strict";
(() => {
  const study = JSON.parse(document.getElementById("study").textContent);
  const main = document.getElementById("main"), status = document.getElementById("status");
  const key = "text2colors-study-" + study.id;
  const judging = study.kind === "data";
  let state = null, shownAt = 0, hiddenAt = 0, stored = true;

  // ---- what is kept on this device
  const load = () => {
    try {
      const value = JSON.parse(localStorage.getItem(key));
      return value && value.study === study.id && study.forms[value.form] && Array.isArray(value.answers) ? value : null;
    } catch { return null; }
  };
  const save = () => {
    try { localStorage.setItem(key, JSON.stringify(state)); stored = true; } catch { stored = false; }
  };
  const forget = () => {
    state = null;
    try { localStorage.removeItem(key); } catch { stored = false; }
  };
  const random = (count) => crypto.getRandomValues(new Uint32Array(count));
  const begin = () => {
    const wanted = Number.parseInt(new URLSearchParams(location.search).get("form"), 10);
    const form = wanted >= 0 && wanted < study.forms.length ? wanted : random(1)[0] % study.forms.length;
    const session = Array.from(random(2), (word) => word.toString(16).padStart(8, "0")).join("");
    state = { study: study.id, session, form, practised: 0, answers: [], ended: false, handed: false };
    save();
  };

  // ---- building blocks
  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [attribute, value] of Object.entries(attributes)) {
      if (attribute === "on") for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
      else if (value !== false) made.setAttribute(attribute, value === true ? "" : value);
    }
    made.append(...children);
    return made;
  };
  const button = (text, listener, main = false) =>
    element("button", { type: "button", class: main ? "main" : "", on: { click: listener } }, text);
  const swatches = (colors, words, kind = "") => {
    const strip = element("span", { class: "swatches " + kind, role: "img", "aria-label": words });
    for (const color of colors) {
      const one = element("span");
      one.style.backgroundColor = color;
      strip.append(one);
    }
    return strip;
  };
  const show = (title, ...content) => {
    status.textContent = "";
    document.title = title + " · " + study.title;
    main.replaceChildren(...content);
    window.scrollTo(0, 0);
    const heading = main.querySelector("form") || main.querySelector("h1");
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  };
  const words = (title, ...content) => show(title, element("div", { class: "words" }, element("h1", {}, title), ...content));
  const paragraph = (text, kind = "") => element("p", { class: kind }, text);
  const row = (...buttons) => element("div", { class: "row" }, ...buttons);
  const say = (text) => { status.textContent = text; };

  // ---- screens
  const consent = () => words(study.title, ...study.consent.map((text) => paragraph(text)),
    paragraph(`It takes ${minutes()}. First comes a short practice, which does not count.`),
    row(button("I agree, begin", () => { begin(); next(); }, true)));

  const minutes = () => {
    const seconds = study.forms[0].length * (judging ? 5 : study.kind === "pictures" ? 10 : 8);
    return `about ${Math.max(1, Math.round(seconds / 60))} minute${seconds < 90 ? "" : "s"}`;
  };

  const resume = () => words("Welcome back",
    paragraph(`${state.answers.length} of ${study.forms[state.form].length} questions are answered and kept on this device.`),
    row(button("Go on", next, true), button("Begin again as somebody else", () => { forget(); consent(); })));

  const pause = () => {
    words("Paused",
      paragraph(stored
        ? "Your answers are kept on this device. You can close the page and open it again later."
        : "This browser does not let the page keep anything. Leave the page open, or finish now."),
      row(button("Go on", next, true), button("Finish now", () => { state.ended = true; save(); end(); }),
        button("Delete my answers", withdraw)));
  };

  const withdraw = () => { forget(); words("Your answers are deleted", paragraph("Thank you for your time. Nothing was kept."),
    row(button("Back to the beginning", consent))); };

  const next = () => {
    const form = study.forms[state.form];
    if (state.ended || state.answers.length >= form.length) { state.ended = true; save(); return end(); }
    if (state.practised < study.practice.length && !state.answers.length) {
      const index = study.practice[state.practised];
      return ask(index, order(index, form), true);
    }
    const [index, places] = form[state.answers.length];
    ask(index, places, false);
  };

  // Practice has no places of its own: judging keeps the places of the form, otherwise the order of ids is as good as any.
  const order = (index, form) => {
    const labels = study.questions[index].answers.map((answer) => answer.label);
    if (!judging) return labels.map((_, place) => place);
    const [first, places] = form[0];
    return places.map((place) => labels.indexOf(study.questions[first].answers[place].label));
  };

  const chosen = (question, places, id, practice) => {
    if (practice) state.practised += 1;
    else state.answers.push({
      question: question.id,
      shown: places.map((place) => question.answers[place].id),
      chosen: id,
      seconds: Math.round((performance.now() - shownAt) / 10) / 100,
    });
    save();
    next();
    if (!stored) say("This browser keeps nothing; leave the page open until the end.");
  };

  const back = () => { state.answers.pop(); save(); next(); };

  const ask = (index, places, practice) => {
    const question = study.questions[index], total = study.forms[state.form].length, done = state.answers.length;
    const where = practice ? `Practice ${state.practised + 1} of ${study.practice.length}` : `Question ${done + 1} of ${total}`;
    const choose = (id) => chosen(question, places, id, practice);
    const answers = places.map((place, position) => card(question.answers[place], position, choose));
    const kind = `answers of${answers.length} ${study.kind}`;
    const proceed = element("button", { type: "submit", class: "main", disabled: true }, "Next");
    const returning = button("Back", back);
    returning.disabled = practice || !done;
    const form = element("form", { class: "question", "aria-label": where },
      element("fieldset", {}, element("legend", {}, ...prompt(question)), element("div", { class: kind }, ...answers)),
      paragraph(judging ? `Keys: 1 to ${answers.length} answer.` : `Keys: 1 to ${answers.length} choose, Enter goes on.`, "note keys"),
      element("div", { class: judging ? "row middle" : "row" }, returning, ...(judging ? [] : [proceed])));
    const pick = () => form.querySelector("input:checked");
    form.addEventListener("change", () => { proceed.disabled = !pick(); });
    form.addEventListener("submit", (event) => { event.preventDefault(); if (pick()) choose(pick().value); });
    form.addEventListener("keydown", (event) => keyed(event, form, answers, proceed));
    show(where,
      element("header", {}, element("h1", {}, where), button("Pause", pause)),
      element("progress", { max: total, value: done, "aria-label": "Questions answered" }),
      ...(practice ? [paragraph("This is to get used to the page. It does not count.", "note")] : []), form);
    shownAt = performance.now();
  };

  const keyed = (event, form, answers, proceed) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    const target = /^[1-9]$/.test(event.key) && answers[event.key - 1];
    if (target && judging) { event.preventDefault(); target.click(); }
    else if (target) {
      const radio = target.querySelector("input");
      radio.checked = true;
      radio.focus();
      form.dispatchEvent(new Event("change"));
      event.preventDefault();
    } else if (event.key === "Enter" && event.target.tagName !== "BUTTON") {
      event.preventDefault();
      if (!proceed.disabled && !judging) form.requestSubmit();
    }
  };

  const prompt = (question) => {
    const parts = [element("h2", { class: "asked" }, study.question)];
    if (question.text) parts.push(element("p", { class: "prompt" }, element("q", {}, question.text)));
    if (question.picture) parts.push(element("img", { src: question.picture, alt: "The grey photograph", class: "prompted" }));
    if (question.palette.length) parts.push(swatches(question.palette, "Palette: " + question.description, "prompted"));
    return parts;
  };

  const card = (answer, position, choose) => {
    if (answer.label) {
      const made = button("", () => choose(answer.id));
      made.append(element("span", { class: "number" }, String(position + 1)), answer.label);
      return made;
    }
    const label = element("label", { class: "answer" },
      element("input", { type: "radio", name: "answer", value: answer.id }),
      element("span", { class: "number" }, String(position + 1)));
    label.append(answer.picture
      ? element("img", { src: answer.picture, alt: "Colours: " + answer.description })
      : swatches(answer.palette, answer.description));
    return label;
  };

  // ---- handing in
  const result = () => JSON.stringify({
    format: "text2colors-study-session", version: 1, study: study.id, session: state.session, form: state.form,
    complete: state.answers.length === study.forms[state.form].length, answers: state.answers,
  });
  const handed = () => { state.handed = true; save(); };
  const download = () => {
    const link = element("a", { download: `answers-${study.id.slice(0, 6)}-${state.session}.json`,
      href: URL.createObjectURL(new Blob([result()], { type: "application/json" })) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    handed();
    say("The file is saved. Please give it to whoever invited you.");
  };
  const send = async (event) => {
    const pressed = event.currentTarget;
    pressed.disabled = true;
    say("Sending …");
    try {
      const reply = await fetch(study.post, { method: "POST", body: result(), credentials: "omit", referrerPolicy: "no-referrer" });
      if (!reply.ok) throw new Error("the receiver answered " + reply.status);
      handed();
      say("Your answers have been sent. You can close the page.");
    } catch (error) {
      pressed.disabled = false;
      say(`Sending failed (${error.message}). Try again, or save the answers as a file.`);
    }
  };
  const end = () => words("Thank you",
    paragraph(study.post ? "Please send your answers now." : "Please save your answers, and give the file to whoever invited you."),
    paragraph(`${state.answers.length} of ${study.forms[state.form].length} questions are answered.`),
    row(...(study.post ? [button("Send my answers", send, true)] : []),
      button("Save my answers as a file", download, !study.post)),
    row(button("Delete my answers", withdraw), button("Next person on this device", another)));
  const another = () => {
    if (!state.handed && !confirm("The answers are neither sent nor saved. Delete them?")) return;
    forget();
    consent();
  };

  document.addEventListener("visibilitychange", () => { // time away from the page is not counted
    if (document.hidden) hiddenAt = performance.now();
    else if (hiddenAt) { shownAt += performance.now() - hiddenAt; hiddenAt = 0; }
  });
  state = load();
  if (!state) consent();
  else if (state.ended) end();
  else resume();
})();
