/** Markdown as Telegram shows it: what is written, and where it is cut. */
import { describe, expect, it } from "vitest";
import { telegram } from "../../../shared/channels/telegram.ts";
import { splitMarkdown } from "../../../workers/notifier/channels/telegram/chunks.ts";
import { renderPreview, render } from "../../../workers/notifier/channels/telegram/render.ts";

const MESSAGE_UNITS_MAX = telegram.abilities.textUnitsMax;

const plainOf = (markdown: string) => render(markdown).map((part) => part.plain);
const html = (markdown: string) => render(markdown).map(({ markup }) => markup);

describe("markup", () => {
  it.each([
    ["**bold** _it_ ~~no~~ `x<y`", "<b>bold</b> <i>it</i> <s>no</s> <code>x&lt;y</code>"],
    ["# Title\n\ntext", "<b>Title</b>\n\ntext"],
    ["a & b < c > d", "a &amp; b &lt; c &gt; d"],
    ["<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"],
    ['[site](https://x.org/?a=1&b="2")', '<a href="https://x.org/?a=1&amp;b=&quot;2&quot;">site</a>'],
    ["[bad](javascript:alert(1))", "bad"],
    ["```ts\nlet a = 1 < 2;\n```", '<pre><code class="language-ts">let a = 1 &lt; 2;</code></pre>'],
    ["**bold `code` bold**", "<b>bold </b><code>code</code><b> bold</b>"],
    ["> quote **b**\n\nafter", "<blockquote>quote <b>b</b></blockquote>\n\nafter"],
    ["- one\n- two\n  - three", "• one\n• two\n   • three"],
    ["3. c\n4. d", "3. c\n4. d"],
    ["- a\n  ```\n  f():\n    x\n  ```", "• a\n<pre>f():\n  x</pre>"],
    ["AT&amp;T &lt;b&gt; &#33;", "AT&amp;T &lt;b&gt; !"],
    ["[x](http://h/?a=1&amp;b=2)", '<a href="http://h/?a=1&amp;b=2">x</a>'],
    ["[![badge](http://i/x.png)](http://h/)", '<a href="http://h/">badge</a>'],
    ["| **a** | b |\n|---|---|\n| 1 | `2` |", "<pre>a | b\n1 | 2</pre>"],
    ["<div>x</div>\n\nafter", "&lt;div&gt;x&lt;/div&gt;\n\nafter"],
    ["", "–"],
  ])("of %j", (markdown, expected) => {
    expect(html(markdown)).toEqual([expected]);
  });
});

describe("cuts", () => {
  it("are not made in what fits, and are made in what is one unit longer", () => {
    expect(plainOf("x".repeat(MESSAGE_UNITS_MAX))).toHaveLength(1);
    expect(plainOf("x".repeat(MESSAGE_UNITS_MAX + 1)).map(({ length }) => length)).toEqual([
      MESSAGE_UNITS_MAX,
      1,
    ]);
  });

  it("count UTF-16 units and spare surrogate pairs", () => {
    const parts = plainOf(`x${"🔥".repeat(MESSAGE_UNITS_MAX)}`);
    expect(parts.every((part) => part.isWellFormed() && part.length <= MESSAGE_UNITS_MAX)).toBe(true);
    expect(parts.join("")).toBe(`x${"🔥".repeat(MESSAGE_UNITS_MAX)}`);
  });

  it("prefer paragraphs to lines and lines to words", () => {
    const paragraph = `${"word ".repeat(500).trim()}.`;
    const parts = plainOf([paragraph, paragraph].join("\n\n"));
    expect(parts).toEqual([paragraph, paragraph]);
  });

  it("close and reopen what they fall into", () => {
    const parts = html(`\`\`\`\n${"line\n".repeat(2_000)}\`\`\``);
    expect(parts.length).toBeGreaterThan(2);
    for (const part of parts) expect(part).toMatch(/^<pre>[^<]*<\/pre>$/);
  });
});

describe("what is too wild to be read", () => {
  it.each([
    ["quotes in quotes", ">".repeat(4_000)],
    ["lists in lists", `${"- ".repeat(1_000)}x`],
    ["emphasis without end", "**a_".repeat(10_000)],
  ])("is shown as it was written: %s", (_, markdown) => {
    const parts = render(markdown);
    expect(parts.map((part) => part.plain).join("")).toBe(markdown.trimEnd());
    expect(parts.every(({ plain }) => plain.length <= MESSAGE_UNITS_MAX)).toBe(true);
  });

  it("has no part of white space only", () => {
    expect(plainOf(`\`\`\`\n${"\n".repeat(9_000)}x\n\`\`\``).every((part) => part.trim() !== "")).toBe(true);
  });
});

describe("a preview", () => {
  it("is the first line, and never a whole answer", () => {
    const [part] = render("\n**first** <line>\n\nsecond");
    expect(renderPreview(part)).toEqual({ markup: "first &lt;line&gt; …", plain: "first <line> …" });
    const [one] = render("42");
    expect(renderPreview(one).plain).toBe("42 …");
  });

  it("is short, and whole in its characters", () => {
    const [part] = render("🔥".repeat(200));
    expect(renderPreview(part).plain.length).toBeLessThanOrEqual(102);
    expect(renderPreview(part).plain.isWellFormed()).toBe(true);
  });
});

describe("a fence", () => {
  it.each([
    ["that is closed with spaces before it", "```\nx\n  ```\n**b**", "<pre>x</pre>\n\n<b>b</b>"],
    ["that is never closed", "~~~js\nx\n```", '<pre><code class="language-js">x\n```</code></pre>'],
    ["with backticks behind it is none", "```a`b\n**c**", "```a`b\n<b>c</b>"],
  ])("%s", (_, markdown, expected) => {
    expect(html(markdown)).toEqual([expected]);
  });

  it("and all else is told in as many messages as an answer may have", () => {
    const deep = Array.from({ length: 9 }, (_, depth) => `${"  ".repeat(depth)}- a`).join("\n");
    const parts = render(`${deep}\n`.repeat(700));
    expect(parts.length).toBeLessThanOrEqual(13);
  });
});

describe("a long answer", () => {
  const paragraphs = (count: number) =>
    Array.from({ length: count }, (_, nth) => `Paragraph **${nth}**, ${"with words ".repeat(60)}`);

  it("keeps its styles to its end, wherever it is read in pieces", () => {
    const shown = html(paragraphs(50).join("\n\n")).join("");
    for (const nth of [0, 7, 25, 49]) expect(shown).toContain(`Paragraph <b>${nth}</b>`);
  });

  it("keeps a block of code whole, and a list's numbers", () => {
    const code = Array.from({ length: 400 }, (_, nth) => `line ${nth}\n\n  **${nth}**`).join("\n");
    const list = Array.from({ length: 400 }, (_, nth) => `${nth + 1}. item`).join("\n");
    const shown = html(`\`\`\`ts\n${code}\n\`\`\`\n\n${list}`).join("");
    expect(shown).toContain("**399**");
    expect(shown).not.toContain("<b>");
    for (const nth of [1, 150, 151, 400]) expect(shown).toContain(`${nth}. item\n`.trim());
  });

  it("is never read as a whole: what the tokenizer is given is bounded", () => {
    const words = [
      "!",
      "b ",
      "b\n",
      "```a`b\n- a\nb\n",
      "```\nx\n ```\n> ",
      "*a ",
      "+ ",
      "1. a\n",
      "a@b.",
      "- a\n b\n",
      "> a\n\n",
      "```\n```\n",
    ];
    for (const word of words) {
      const markdown = `- a\n${word.repeat(40_000 / word.length)}`;
      for (const { text, kind } of splitMarkdown(markdown)) {
        if (kind !== "markdown") continue;
        expect(text.length).toBeLessThanOrEqual(4_000);
        expect(text.split("\n").length).toBeLessThanOrEqual(150);
        expect(text).not.toMatch(/\S{500}/);
      }
    }
  });
});
