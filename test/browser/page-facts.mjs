// Runs inside the page.

/** Contrast of texts against the page, by WCAG 2.2. */
export function contrasts(selectors) {
  const light = (colour) => {
    const [red = 0, green = 0, blue = 0] = (colour.match(/[\d.]+/g) ?? []).map(Number).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const page = light(getComputedStyle(document.body).backgroundColor);
  return selectors.map((selector) => {
    const ink = light(getComputedStyle(document.querySelector(selector)).color);
    return (Math.max(ink, page) + 0.05) / (Math.min(ink, page) + 0.05);
  });
}

export function widths() {
  const shown = (selector) =>
    [...document.querySelectorAll(selector)].filter((svg) => svg.getBoundingClientRect().width > 0).length;
  return {
    page: document.documentElement.scrollWidth,
    narrow: shown("figure svg.narrow"),
    wide: shown("figure svg.wide"),
  };
}

/** Words of figures that stick out of them or lie on one another. */
export function misplacedWords() {
  return [...document.querySelectorAll("figure svg.wide")].flatMap((svg) => {
    const outer = svg.getBoundingClientRect();
    const words = [...svg.querySelectorAll("text")].map((text) => ({
      words: text.textContent,
      box: text.getBoundingClientRect(),
    }));
    const outside = words.filter(({ box }) => box.left < outer.left - 1 || box.right > outer.right + 1);
    // Boxes are as tall as the line, letters are not.
    const covered = words.flatMap(({ box: a }, index) =>
      words
        .slice(index + 1)
        .filter(
          ({ box: b }) =>
            a.left < b.right - 2 && b.left < a.right - 2 && a.top < b.bottom - 5 && b.top < a.bottom - 5,
        ),
    );
    return [...outside, ...covered].map((found) => found.words);
  });
}

export function countOf(selector) {
  return document.querySelectorAll(selector).length;
}

export function fillOf(selector) {
  return getComputedStyle(document.querySelector(selector)).fill;
}
