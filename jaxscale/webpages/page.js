// The page works without this: it adds the interactive frontier, the sliders and the buttons that copy a text.
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("page-data").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const compact = new Intl.NumberFormat("en", { notation: "compact", minimumSignificantDigits: 3, maximumSignificantDigits: 3 });

  const count = (value) => (value === null ? "–" : value < 1e15 ? compact.format(value) : power(value, 2));
  const digits = (places) => (value) => (value === null ? "–" : value.toPrecision(places));
  const power = (value, places) => value.toExponential(places).replace("e+", "e").replace(/\.?0+e/, "e");
  const write = { params: count, tokens: count, tokens_per_param: digits(3), loss: digits(4), flops: (value) => (value === null ? "–" : power(value, 2)) };

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function paint(plot) {
    const [ink, soft, line, tint] = ["--ink", "--soft", "--line", "--tint"].map(colour);
    plot.setv({ background_fill_color: null, border_fill_color: null, outline_line_color: null });
    for (const axis of [...plot.below, ...plot.left]) {
      axis.setv({ axis_label_text_color: ink, major_label_text_color: soft, axis_line_color: soft, major_tick_line_color: soft, minor_tick_line_color: line });
    }
    for (const grid of plot.center.filter((one) => "grid_line_color" in one)) grid.setv({ grid_line_color: line });
    for (const one of plot.center.filter((it) => it.name === "measured")) one.setv({ fill_color: soft });
    for (const one of plot.renderers) {
      const shade = colour(one.name === "runs" ? "--blue" : "--red");
      if (one.name === "runs") one.glyph.setv({ fill_color: shade, line_color: shade });
      else if (one.name === "band") one.glyph.setv({ fill_color: shade });
      else if (one.name === "asked") one.glyph.setv({ fill_color: ink, line_color: tint });
      else one.glyph.setv({ line_color: shade, ...(one.name === "budgets" ? { fill_color: shade } : {}) });
    }
  }

  async function chart(part) {
    const place = document.getElementById(`chart-${part.key}`);
    if (!place || !part.chart) return;
    const views = await Bokeh.embed.embed_item(part.chart, place.id);
    const root = [...views.roots ?? views][0].model;
    const plots = root.children;
    const all = () => plots.forEach(paint);
    all();
    dark.addEventListener("change", all);
    part.plots = plots;
    part.show?.();
  }

  function sliders(part) {
    const box = document.getElementById(`what-if-${part.key}`);
    if (!box || !part.what_if) return;
    const given = part.what_if;
    const inputs = Object.fromEntries(["flops", "params", "tokens"].map((name) => [name, box.querySelector(`input[name=${name}]`)]));
    const named = {
      flops: (value) => `${power(value, 2)} FLOP`,
      params: (value) => (value === null ? "no cap" : `${compact.format(value)} params`),
      tokens: (value) => (value === null ? "no cap" : `${compact.format(value)} tokens`),
    };
    const show = () => {
      const at = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, Number(input.value)]));
      for (const [name, input] of Object.entries(inputs)) {
        const text = named[name](given.steps[name][at[name]]);
        input.setAttribute("aria-valuetext", text);
        box.querySelector(`output[data-of=${name}]`).textContent = text;
      }
      const found = {};
      for (const [name, table] of Object.entries(given.values)) {
        found[name] = table.map((ends) => ends[at.params][at.tokens][at.flops]);
        const [value, low, high] = found[name]; // of compute there is the value alone
        const card = box.querySelector(`[data-quantity=${name}]`);
        card.dataset.value = value;
        card.querySelector(".value").textContent = write[name](value);
        const band = card.querySelector(".band");
        if (band && table.length > 1) band.textContent = low === null ? "no band" : `${write[name](low)} … ${write[name](high)}`;
      }
      const budget = given.steps.flops[at.flops];
      const free = given.values.loss[0][given.steps.params.length - 1][given.steps.tokens.length - 1][at.flops];
      const more = found.loss[0] === null || free === null ? null : found.loss[0] - free;
      const said = [];
      if (more !== null) said.push(more > 5e-5 ? `The caps cost ${more.toPrecision(2)} in loss.` : "The caps do not bind.");
      const spent = found.flops[0];
      if (spent !== null && spent < 0.999 * budget) said.push(`Both caps bind: ${power(spent, 2)} FLOP are spent, ${(100 * spent / budget).toPrecision(2)} % of the budget.`);
      box.querySelector(".said").textContent = said.join(" ");
      for (const plot of part.plots ?? []) {
        const asked = plot.renderers.find((one) => one.name === "asked");
        const value = found[plot.name][0];
        asked.data_source.data = spent === null || value === null ? { x: [], y: [] } : { x: [spent], y: [value] };
      }
    };
    for (const input of Object.values(inputs)) input.addEventListener("input", show);
    part.show = show;
    show();
  }

  for (const button of document.querySelectorAll("button[data-copies]")) {
    button.addEventListener("click", async () => {
      const text = document.getElementById(button.dataset.copies);
      try {
        await navigator.clipboard.writeText(text.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(text);
        button.textContent = "Selected: copy it";
      }
    });
  }

  // The library is most of the script: it runs once the page can be read.
  async function charts() {
    const library = document.getElementById("library");
    if (library) {
      const script = document.createElement("script");
      script.textContent = library.textContent;
      document.head.append(script);
      await Promise.all(data.parts.map(chart));
    }
    document.documentElement.dataset.ready = "yes";
  }

  data.parts.forEach(sliders);
  addEventListener("load", () => setTimeout(charts));
})();
