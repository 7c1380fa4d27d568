// Asked in every page when it has loaded. Returns what the browser made of it, and judges nothing.
(async () => {
  const short = (text) => text.replace(/\s+/g, ' ').trim().slice(0, 60);
  await document.fonts.ready;

  // What reaches over the right edge, unless something around it scrolls by itself.
  const scrolls = (element) => {
    for (let at = element.parentElement; at && at !== document.body; at = at.parentElement) {
      if (['auto', 'scroll', 'hidden'].includes(getComputedStyle(at).overflowX)) return true;
    }
    return false;
  };
  const wide = [...document.querySelectorAll('main *')]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1 && !scrolls(element))
    .map((element) => `<${element.tagName.toLowerCase()}> ${short(element.textContent)}`);

  // A figure is an image; its letters can be measured in a frame that shows the same file.
  const figure = async (image) => {
    const frame = document.createElement('iframe');
    frame.style = 'position: fixed; left: 0; top: 0; width: 300px; height: 300px; opacity: 0';
    const loaded = new Promise((resolve) => frame.addEventListener('load', resolve));
    frame.src = image.src;
    document.body.append(frame);
    await loaded;
    const svg = frame.contentDocument.documentElement;
    const view = svg.viewBox?.baseVal;
    const texts = [];
    if (view?.width) {
      const scale = image.getBoundingClientRect().width / view.width;
      const root = svg.getScreenCTM();
      for (const text of svg.querySelectorAll('text')) {
        const matrix = root.inverse().multiply(text.getScreenCTM());
        const smallest = Math.min(...[text, ...text.querySelectorAll('tspan')]
          .map((part) => parseFloat(frame.contentWindow.getComputedStyle(part).fontSize)));
        const box = text.getBBox();
        const corner = (x, y) => new DOMPoint(x, y).matrixTransform(matrix);
        const [a, b] = [corner(box.x, box.y), corner(box.x + box.width, box.y + box.height)];
        texts.push({
          text: short(text.textContent),
          size: smallest * Math.hypot(matrix.c, matrix.d) * scale,
          left: Math.min(a.x, b.x) - view.x, right: Math.max(a.x, b.x) - view.x,
          top: Math.min(a.y, b.y) - view.y, bottom: Math.max(a.y, b.y) - view.y,
        });
      }
    }
    frame.remove();
    return { width: view?.width ?? 0, height: view?.height ?? 0, texts };
  };

  const images = [];
  for (const image of document.querySelectorAll('img')) {
    await image.decode().catch(() => {});
    const seen = { source: image.src, natural: image.naturalWidth, alt: image.alt, figure: null };
    // mdbook keeps a hidden copy of each image, for whoever clicks on it.
    const shown = image.naturalWidth > 0 && image.getBoundingClientRect().width > 0;
    if (shown && new URL(image.src).pathname.endsWith('.svg')) seen.figure = await figure(image);
    images.push(seen);
  }

  const own = (element) => element.getAttribute('href');
  return {
    themes: [...document.documentElement.classList],
    width: document.scrollingElement.scrollWidth,
    wide: wide.slice(0, 3),
    ids: [...document.querySelectorAll('[id], a[name]')].map((element) => element.id || element.name),
    links: [...document.querySelectorAll('a[href]')].map((link) => ({ written: own(link), leads: link.href })),
    images,
  };
})()
