/** Random numbers for one drawing; every drawing takes its own, so that no image depends on another. */
export interface Rng {
  /** Uniform in [low, high). */
  between(low: number, high: number): number;
  /** A whole number in [low, high]. */
  whole(low: number, high: number): number;
}

/** Hue in degrees, saturation and lightness in percent. */
type Colour = readonly [h: number, s: number, l: number];

/** One fruit as the inside of an SVG of 100 x 100 units: definitions first, then shapes. */
type Drawing = (rng: Rng) => string;

/**
 * The fruits, by class name. Each drawing varies its shade, outline, light and texture by the random numbers it is given;
 * turn and size are the caller's.
 */
export const FRUITS: Readonly<Record<string, Fruit>> = {
  "Apple Green": { draw: (rng) => apple(rng, [82, 52, 50]), turn: 25 },
  "Apple Red": { draw: (rng) => apple(rng, [356, 68, 40]), turn: 25 },
  Avocado: { draw: avocado, turn: 30 },
  Banana: { draw: banana, turn: 180 },
  Blueberry: { draw: blueberry, turn: 180 },
  Cherry: { draw: cherry, turn: 20 },
  Grape: { draw: grape, turn: 15 },
  Kiwi: { draw: kiwi, turn: 180 },
  Lemon: { draw: lemon, turn: 180 },
  Orange: { draw: orange, turn: 180 },
  Peach: { draw: peach, turn: 30 },
  Pear: { draw: pear, turn: 30 },
  Pineapple: { draw: pineapple, turn: 15 },
  Plum: { draw: plum, turn: 40 },
  Strawberry: { draw: strawberry, turn: 25 },
  Watermelon: { draw: watermelon, turn: 180 },
};

export interface Fruit {
  readonly draw: Drawing;
  /** The most a fruit is turned from upright, either way, in degrees. */
  readonly turn: number;
}

function apple(rng: Rng, base: Colour): string {
  const colour = vary(rng, base, 6, 8, 6);
  const w = rng.between(37, 43);
  const top = rng.between(17, 21);
  const outline = `M50 ${top + 6} C${50 - w * 0.45} ${top - 6} ${50 - w} ${top + 4} ${50 - w} 50
    C${50 - w} 74 ${50 - w * 0.55} 94 ${50 - w * 0.22} 93 C44 92 47 90 50 90 C53 90 56 92 ${50 + w * 0.22} 93
    C${50 + w * 0.55} 94 ${50 + w} 74 ${50 + w} 50 C${50 + w} ${top + 4} ${50 + w * 0.45} ${top - 6} 50 ${top + 6} Z`;
  const streaks = repeat(rng.whole(14, 26), () => {
    const x = rng.between(50 - w, 50 + w);
    const y = rng.between(22, 60);
    const bend = (x - 50) * 0.25;
    return line(`M${x} ${y} q${bend} ${rng.between(8, 16)} ${bend * 0.6} ${rng.between(16, 30)}`, {
      stroke: css(lighten(colour, rng.between(8, 22)), 0.35),
      width: rng.between(0.6, 2.2),
    });
  });
  const hollow = `<ellipse cx="50" cy="${top + 6}" rx="13" ry="4.5" fill="${css(lighten(colour, -22), 0.55)}" filter="url(#soft)"/>`;
  return [
    body(rng, outline, colour, streaks + freckles(rng, 25, lighten(colour, 28), 0.5) + hollow),
    stem(rng, 50, top + 8, 14),
    rng.between(0, 1) < 0.4 ? leaf(50 + 1, top - 1, rng.between(15, 35), 1) : "",
  ].join("");
}

function pear(rng: Rng): string {
  const colour = vary(rng, [64, 55, 52], 6, 8, 5);
  const w = rng.between(33, 38);
  const neck = rng.between(11, 15);
  const outline = `M50 14 C${50 - neck} 13 ${50 - neck - 2} 26 ${50 - neck - 4} 37 C${50 - neck - 8} 48 ${50 - w} 54 ${50 - w} 70
    C${50 - w} 87 ${50 - w * 0.5} 95 50 94 C${50 + w * 0.5} 95 ${50 + w} 87 ${50 + w} 70
    C${50 + w} 54 ${50 + neck + 8} 48 ${50 + neck + 4} 37 C${50 + neck + 2} 26 ${50 + neck} 13 50 14 Z`;
  const blush = `<ellipse cx="${rng.between(62, 76)}" cy="62" rx="18" ry="26" fill="${css([24, 60, 48], rng.between(0.1, 0.45))}" filter="url(#blur)"/>`;
  return body(rng, outline, colour, blush + freckles(rng, 110, [45, 45, 30], 0.55)) + stem(rng, 50, 16, 13);
}

function banana(rng: Rng): string {
  const colour = vary(rng, [49, 82, 54], 4, 8, 4);
  const bend = rng.between(20, 34);
  const fat = rng.between(19, 25);
  const outline = `M7 ${40 - bend * 0.3} C${20} ${52 + bend * 0.4} ${72} ${54 + bend * 0.4} 92 ${36 - bend * 0.3} L96 ${40 - bend * 0.2}
    C${84} ${58 + fat + bend * 0.3} ${26} ${60 + fat + bend * 0.3} 4 ${46 - bend * 0.2} Z`;
  const ridge = line(
    `M8 ${45 - bend * 0.2} C26 ${56 + fat * 0.55 + bend * 0.4} 74 ${56 + fat * 0.5 + bend * 0.4} 93 ${40 - bend * 0.2}`,
    {
      stroke: css(lighten(colour, -16), 0.7),
      width: 1.3,
    },
  );
  const spots = freckles(rng, rng.whole(5, 40), [30, 60, 20], 0.75, 1.2);
  const ends = `<circle cx="5" cy="${42 - bend * 0.3}" r="6" fill="${css([35, 45, 22])}" filter="url(#soft)"/>
    <circle cx="95" cy="${37 - bend * 0.25}" r="5" fill="${css([60, 50, 32])}" filter="url(#soft)"/>`;
  return body(rng, outline, colour, ridge + spots + ends, { gloss: 0.25 });
}

function blueberry(rng: Rng): string {
  const colour = vary(rng, [226, 42, 27], 8, 8, 4);
  const r = rng.between(40, 45);
  const at = [rng.between(40, 60), rng.between(38, 52)] as const;
  const bloom = repeat(7, () => {
    const [x, y] = [rng.between(15, 85), rng.between(15, 85)];
    return `<ellipse cx="${x}" cy="${y}" rx="${rng.between(8, 20)}" ry="${rng.between(6, 14)}" fill="${css([215, 30, 62], 0.22)}" filter="url(#blur)"/>`;
  });
  const crown = `<g transform="translate(${at[0]} ${at[1]})"><circle r="9" fill="${css([232, 45, 11])}"/>${repeat(
    5,
    (i) => {
      const angle = i * 72 + rng.between(-8, 8);
      return `<path d="M-5 -7 L0 -15 L5 -7 Z" transform="rotate(${angle})" fill="${css([225, 28, 38])}"/>`;
    },
  )}<circle r="4.5" fill="${css([228, 30, 24])}"/></g>`;
  return body(rng, ellipse(50, 50, r, r * rng.between(0.9, 1)), colour, bloom + crown, { gloss: 0.3 });
}

function cherry(rng: Rng): string {
  const colour = vary(rng, [348, 78, 26], 5, 8, 4);
  const r = rng.between(28, 33);
  const outline = `M50 36 C42 28 ${50 - r} 32 ${50 - r} 60 C${50 - r} 84 ${50 - r * 0.4} 95 50 95
    C${50 + r * 0.4} 95 ${50 + r} 84 ${50 + r} 60 C${50 + r} 32 58 28 50 36 Z`;
  const lean = rng.between(-24, 24);
  const stalk = line(`M50 38 C50 24 ${50 + lean * 0.4} 14 ${50 + lean} 4`, { stroke: css([78, 42, 34]), width: 2.6 });
  const knob = `<ellipse cx="${50 + lean}" cy="4.5" rx="4" ry="2.4" fill="${css([40, 38, 28])}"/>`;
  return body(rng, outline, colour, "", { gloss: 0.75 }) + stalk + knob;
}

function grape(rng: Rng): string {
  const colour = vary(rng, [285, 38, 33], 10, 8, 5);
  const rows = [4, 5, 4, 3, 2, 1];
  const berries = rows.flatMap((n, row) =>
    Array.from({ length: n }, (_, i) => ({
      x: 50 + (i - (n - 1) / 2) * 18 + rng.between(-2.5, 2.5),
      y: 25 + row * 13 + rng.between(-2, 2),
    })),
  );
  const stalk = line(`M50 22 C50 14 ${rng.between(44, 56)} 8 ${rng.between(42, 58)} 3`, {
    stroke: css([80, 30, 36]),
    width: 3.2,
  });
  const drawn = berries.map(({ x, y }, i) => {
    const r = rng.between(9, 10.8);
    const own = lighten(colour, rng.between(-7, 7));
    const id = `berry${i}`;
    return `${gradient(id, own)}<circle cx="${x}" cy="${y}" r="${r}" fill="url(#${id})"/>
      <ellipse cx="${x - r * 0.35}" cy="${y - r * 0.4}" rx="${r * 0.25}" ry="${r * 0.18}" fill="#fff" opacity="0.45" filter="url(#soft)"/>`;
  });
  return `${stalk}${drawn.join("")}`;
}

function plum(rng: Rng): string {
  const colour = vary(rng, [318, 34, 21], 10, 8, 4);
  const w = rng.between(33, 38);
  const outline = `M50 14 C${50 - w * 0.7} 10 ${50 - w} 30 ${50 - w} 54 C${50 - w} 80 ${50 - w * 0.5} 93 50 93
    C${50 + w * 0.5} 93 ${50 + w} 80 ${50 + w} 54 C${50 + w} 30 ${50 + w * 0.7} 10 50 14 Z`;
  const seam = line(`M50 14 C${rng.between(54, 66)} 34 ${rng.between(56, 68)} 68 52 93`, {
    stroke: css(lighten(colour, -9), 0.9),
    width: 2,
  });
  const bloom = repeat(9, () => {
    const [x, y] = [rng.between(20, 80), rng.between(18, 85)];
    return `<ellipse cx="${x}" cy="${y}" rx="${rng.between(5, 15)}" ry="${rng.between(4, 10)}" fill="${css([300, 22, 58], 0.25)}" filter="url(#blur)"/>`;
  });
  return body(rng, outline, colour, bloom + seam, { gloss: 0.4 }) + stem(rng, 50, 15, 9);
}

function peach(rng: Rng): string {
  const colour = vary(rng, [30, 82, 62], 5, 8, 4);
  const w = rng.between(39, 43);
  const outline = `M50 16 C${50 - w * 0.6} 6 ${50 - w} 24 ${50 - w} 52 C${50 - w} 78 ${50 - w * 0.5} 92 50 95
    C${50 + w * 0.5} 92 ${50 + w} 78 ${50 + w} 52 C${50 + w} 24 ${50 + w * 0.6} 6 50 16 Z`;
  const blush = repeat(3, () => {
    const [x, y] = [rng.between(20, 45), rng.between(25, 70)];
    return `<ellipse cx="${x}" cy="${y}" rx="${rng.between(12, 24)}" ry="${rng.between(14, 26)}" fill="${css([352, 72, 52], 0.42)}" filter="url(#blur)"/>`;
  });
  const seam = line(`M50 16 C${rng.between(56, 70)} 36 ${rng.between(56, 70)} 70 51 95`, {
    stroke: css([14, 62, 42], 0.6),
    width: 2.2,
  });
  return body(rng, outline, colour, blush + seam, { gloss: 0.18 }) + leaf(52, 14, rng.between(-5, 30), 1.25);
}

function orange(rng: Rng): string {
  const colour = vary(rng, [27, 92, 50], 4, 6, 4);
  const r = rng.between(42, 46);
  const pores = freckles(rng, 190, lighten(colour, -12), 0.5, 0.7) + freckles(rng, 90, lighten(colour, 16), 0.5, 0.6);
  const [x, y] = [rng.between(35, 65), rng.between(30, 60)];
  const navel = `<g transform="translate(${x} ${y})"><circle r="4.4" fill="${css([80, 35, 34])}"/>${repeat(5, (i) => `<path d="M0 0 L1.6 -6.5 L-1.6 -6.5 Z" transform="rotate(${i * 72})" fill="${css([75, 38, 40])}"/>`)}<circle r="2" fill="${css([60, 30, 60])}"/></g>`;
  return body(rng, ellipse(50, 50, r, r * rng.between(0.94, 1)), colour, pores + navel, { gloss: 0.35 });
}

function lemon(rng: Rng): string {
  const colour = vary(rng, [52, 90, 54], 3, 6, 4);
  const h = rng.between(28, 33);
  const outline = `M4 50 C9 46 12 46 17 40 C26 ${50 - h * 1.08} 70 ${50 - h * 1.12} 83 40 C88 46 91 45 97 50
    C91 55 88 54 83 60 C70 ${50 + h * 1.12} 26 ${50 + h * 1.08} 17 60 C12 54 9 54 4 50 Z`;
  const pores = freckles(rng, 150, lighten(colour, -14), 0.4, 0.7) + freckles(rng, 60, lighten(colour, 22), 0.6, 0.6);
  const tip = `<circle cx="96" cy="50" r="7" fill="${css([70, 55, 40], 0.6)}" filter="url(#blur)"/>`;
  return body(rng, outline, colour, pores + tip, { gloss: 0.4 });
}

function kiwi(rng: Rng): string {
  const flesh = vary(rng, [84, 62, 44], 5, 8, 4);
  const rx = rng.between(41, 45);
  const ry = rx * rng.between(0.86, 0.98);
  const rays = repeat(38, (i) => {
    const angle = (i * 360) / 38 + rng.between(-3, 3);
    return `<path d="M0 -9 L1.3 ${-ry * rng.between(0.7, 0.86)} L-1.3 ${-ry * 0.75} Z" transform="rotate(${angle})" fill="${css(lighten(flesh, 15), 0.4)}"/>`;
  });
  const seeds = repeat(rng.whole(28, 38), (i) => {
    const angle = i * 10.3 + rng.between(-3, 3);
    const out = rng.between(15, 24);
    return `<ellipse cx="0" cy="${-out}" rx="1.2" ry="2.5" transform="rotate(${angle})" fill="${css([270, 20, 8])}"/>`;
  });
  const core = `<ellipse rx="${rng.between(8, 11)}" ry="${rng.between(7, 9)}" fill="${css([70, 45, 82])}" filter="url(#soft)"/>`;
  const skin = vary(rng, [32, 38, 30], 4, 5, 4);
  const rim = `<ellipse rx="${rx - 3.4}" ry="${ry - 3.4}" fill="${css(flesh)}"/>`;
  return body(rng, ellipse(50, 50, rx, ry), skin, `<g transform="translate(50 50)">${rim}${rays}${core}${seeds}</g>`, {
    gloss: 0.15,
  });
}

function avocado(rng: Rng): string {
  const skin = vary(rng, [100, 36, 17], 8, 8, 4);
  const flesh = vary(rng, [68, 56, 66], 4, 8, 4);
  const w = rng.between(32, 36);
  const half = (by: number) => `M50 ${8 + by} C${38 + by * 0.6} ${8 + by} 34 24 ${29 + by * 0.7} 40
    C${22 + by * 0.6} 52 ${50 - w + by} 58 ${50 - w + by} 68 C${50 - w + by} ${86 - by * 0.6} 36 ${95 - by} 50 ${95 - by}
    C64 ${95 - by} ${50 + w - by} ${86 - by * 0.6} ${50 + w - by} 68 C${50 + w - by} 58 ${78 - by * 0.6} 52 ${71 - by * 0.7} 40
    C66 24 ${62 - by * 0.6} ${8 + by} 50 ${8 + by} Z`;
  const ring = `<path d="${half(3)}" fill="${css([78, 55, 50])}"/><path d="${half(6.5)}" fill="${css(flesh)}" filter="url(#soft)"/>`;
  const r = rng.between(13.5, 17);
  const stone = `${gradient("stone", vary(rng, [26, 52, 30], 5, 6, 4))}<circle cx="50" cy="67" r="${r + 1.6}" fill="${css(lighten(flesh, -14))}"/>
    <circle cx="50" cy="67" r="${r}" fill="url(#stone)"/><ellipse cx="45" cy="60" rx="4" ry="3" fill="#fff" opacity="0.45" filter="url(#soft)"/>`;
  return body(rng, half(0), skin, ring + stone, { gloss: 0 });
}

function pineapple(rng: Rng): string {
  const colour = vary(rng, [37, 72, 46], 4, 8, 4);
  const w = rng.between(28, 33);
  const outline = ellipse(50, 64, w, 35);
  const step = rng.between(9, 11);
  const lattice = [-1, 1].map((way) =>
    repeat(16, (i) => {
      const x = (i - 5) * step;
      return line(`M${way > 0 ? x : 100 - x} 28 q${way * 22} 34 ${way * 34} 72`, {
        stroke: css([28, 62, 25], 0.75),
        width: 1.6,
      });
    }),
  );
  const eyes = freckles(rng, 45, [44, 80, 66], 0.7, 1.4);
  const leaves = repeat(13, (i) => {
    const angle = (i - 6) * 11 + rng.between(-4, 4);
    const length = rng.between(26, 34) - Math.abs(i - 6) * 1.1;
    return `<path d="M-4.5 0 Q-3 ${-length * 0.6} 0 ${-length} Q3 ${-length * 0.6} 4.5 0 Z" transform="translate(50 35) rotate(${angle})"
      fill="${css(vary(rng, [110, 38, 30], 12, 8, 9))}"/>`;
  });
  return leaves + body(rng, outline, colour, eyes + lattice.join(""), { gloss: 0.15 });
}

function strawberry(rng: Rng): string {
  const colour = vary(rng, [357, 84, 45], 4, 6, 4);
  const w = rng.between(34, 39);
  const outline = `M50 22 C${50 - w * 0.7} 12 ${50 - w} 28 ${50 - w} 42 C${50 - w} 62 36 92 50 96
    C64 92 ${50 + w} 62 ${50 + w} 42 C${50 + w} 28 ${50 + w * 0.7} 12 50 22 Z`;
  const seeds = [0, 1, 2, 3, 4, 5, 6].flatMap((row) => {
    const n = 7 - Math.floor(row * 0.85);
    return Array.from({ length: n }, (_, i) => {
      const x = 50 + (i - (n - 1) / 2) * 10.5 + rng.between(-1.6, 1.6) + (row % 2) * 2;
      const y = 30 + row * 9.6 + rng.between(-1.5, 1.5);
      return `<ellipse cx="${x}" cy="${y + 0.8}" rx="2" ry="2.7" fill="${css(lighten(colour, -16))}"/><ellipse cx="${x}" cy="${y}" rx="1.3" ry="2" fill="${css([46, 84, 66])}"/>`;
    });
  });
  const crown = repeat(7, (i) => {
    const angle = (i - 3) * 34 + rng.between(-7, 7);
    return `<path d="M-5.5 0 Q-5 -12 0 ${-rng.between(17, 22)} Q5 -12 5.5 0 Z" transform="translate(50 21) rotate(${angle})
      scale(1 ${Math.abs(angle) > 60 ? 1 : 0.75})" fill="${css(vary(rng, [105, 46, 34], 6, 8, 6))}"/>`;
  });
  return body(rng, outline, colour, seeds.join(""), { gloss: 0.35 }) + crown + stem(rng, 50, 20, 11, [100, 40, 36]);
}

function watermelon(rng: Rng): string {
  const colour = vary(rng, [104, 40, 58], 8, 8, 4);
  const rx = rng.between(43, 46);
  const ry = rx * rng.between(0.86, 0.98);
  const dark = vary(rng, [132, 46, 21], 6, 8, 3);
  const stripes = repeat(9, (i) => {
    const x = 2 + i * 12 + rng.between(-2, 2);
    const bow = (x - 50) * 0.55;
    const wobble = Array.from({ length: 6 }, (_, j) => {
      const t = (j + 1) / 6;
      const out = Math.sin(t * Math.PI) * bow;
      return `L${50 + (x - 50) * 0.45 + out + rng.between(-2.6, 2.6)} ${4 + t * 92}`;
    });
    return line(`M${50 + (x - 50) * 0.3} 3 ${wobble.join(" ")}`, {
      stroke: css(dark, 0.92),
      width: rng.between(4, 6.5),
    });
  });
  return body(rng, ellipse(50, 50, rx, ry), colour, stripes + freckles(rng, 60, dark, 0.5, 1), { gloss: 0.25 });
}

/** A lit body: a gradient from the light's side to the far edge, what lies on the skin, grain and a gloss spot. */
function body(rng: Rng, outline: string, colour: Colour, skin: string, { gloss = 0.5 } = {}): string {
  const light = [rng.between(0.3, 0.44), rng.between(0.26, 0.38)] as const;
  const [x, y] = [light[0] * 100 - 2, light[1] * 100 + 2];
  return `${gradient("skin", colour, light)}
    <clipPath id="outline"><path d="${outline}"/></clipPath>
    <radialGradient id="shade" cx="${light[0]}" cy="${light[1]}" r="0.8">
      <stop offset="0.6" stop-color="#000" stop-opacity="0"/><stop offset="1" stop-color="#000" stop-opacity="0.38"/></radialGradient>
    <path d="${outline}" fill="url(#skin)"/>
    <g clip-path="url(#outline)">${skin}<rect width="100" height="100" filter="url(#grain)" opacity="0.16"/></g>
    <path d="${outline}" fill="url(#shade)"/>
    <g clip-path="url(#outline)"><ellipse cx="${x}" cy="${y}" rx="${rng.between(8, 13)}" ry="${rng.between(5, 9)}"
      transform="rotate(-32 ${x} ${y})" fill="#fff" opacity="${gloss}" filter="url(#blur)"/></g>`;
}

function gradient(id: string, colour: Colour, [x, y]: readonly [number, number] = [0.36, 0.32]): string {
  return `<radialGradient id="${id}" cx="${x}" cy="${y}" r="0.75"><stop offset="0" stop-color="${css(lighten(colour, 10))}"/>
    <stop offset="0.55" stop-color="${css(colour)}"/><stop offset="1" stop-color="${css(lighten(colour, -12))}"/></radialGradient>`;
}

function stem(rng: Rng, x: number, y: number, length: number, colour: Colour = [30, 40, 24]): string {
  const lean = rng.between(-6, 6);
  return line(`M${x} ${y} q${lean * 0.2} ${-length * 0.6} ${lean} ${-length}`, { stroke: css(colour), width: 3.4 });
}

function leaf(x: number, y: number, angle: number, size: number): string {
  return `<g transform="translate(${x} ${y}) rotate(${-angle}) scale(${size})"><path d="M0 0 Q11 -10 25 0 Q11 9 0 0 Z" fill="${css([108, 42, 33])}"/>
    <path d="M1 0 L22 0" stroke="${css([96, 38, 52])}" stroke-width="0.8"/></g>`;
}

/** Small spots strewn over the whole square; the outline cuts them off. */
function freckles(rng: Rng, n: number, colour: Colour, opacity: number, size = 0.8): string {
  return repeat(n, () => {
    const r = size * rng.between(0.6, 1.4);
    return `<circle cx="${rng.between(4, 96)}" cy="${rng.between(4, 96)}" r="${r}" fill="${css(colour, opacity)}"/>`;
  });
}

function ellipse(x: number, y: number, rx: number, ry: number): string {
  return `M${x - rx} ${y} A${rx} ${ry} 0 1 1 ${x + rx} ${y} A${rx} ${ry} 0 1 1 ${x - rx} ${y} Z`;
}

function line(path: string, { stroke, width }: { stroke: string; width: number }): string {
  return `<path d="${path}" fill="none" stroke="${stroke}" stroke-width="${width}" stroke-linecap="round"/>`;
}

function vary(rng: Rng, [h, s, l]: Colour, dh: number, ds: number, dl: number): Colour {
  return [h + rng.between(-dh, dh), s + rng.between(-ds, ds), l + rng.between(-dl, dl)];
}

function lighten([h, s, l]: Colour, by: number): Colour {
  return [h, s, Math.min(100, Math.max(0, l + by))];
}

function css([h, s, l]: Colour, opacity = 1): string {
  return `hsla(${((h % 360) + 360) % 360}, ${Math.min(100, Math.max(0, s))}%, ${l}%, ${opacity})`;
}

function repeat(n: number, draw: (i: number) => string): string {
  return Array.from({ length: n }, (_, i) => draw(i)).join("");
}
