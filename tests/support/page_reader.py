"""What a reader of the page does in a browser, and what there is to see."""

from io import BytesIO

from PIL import Image

PHONE = {"width": 320, "height": 640}
WIDE = {"width": 1280, "height": 800}
HUGE = {"width": 3840, "height": 2160}


def settle(page):
    """Wait until what is wanted is drawn."""
    page.evaluate("page.view.stage.running")


def press(page, *keys, settle=settle):
    for key in keys:
        page.keyboard.press(key)
    settle(page)


def pass_time(page, seconds, step=0.5):
    """Let time pass in steps, where the test has the clock; between them comes what was asked for."""
    for _ in range(round(seconds / step)):
        page.clock.run_for(1000 * step)
        page.wait_for_timeout(20)


def look_again(page):
    """Come back to the page, which then asks what is new and waits no longer."""
    page.evaluate("window.dispatchEvent(new Event('focus'))")


def position(page):
    return page.locator("#position-name").inner_text()


def epoch(page):
    return page.locator("#epoch").inner_text()


def source(page, frame=0):
    """The file that is on the stage."""
    canvas = page.locator("#stage .frame").nth(frame).locator("canvas").first
    file = canvas.get_attribute("data-source").split("?")[0]
    return "." + file.removeprefix(page.url.split("#")[0].rsplit("/", 1)[0])


def gap(page):
    return page.locator("#stage .gap").inner_text()


def middle(locator):
    """The colour in the middle of what is drawn."""
    return drawn_at(locator, 0.5, 0.5)


def drawn_at(locator, across, down):
    """The colour at a place of what is drawn, in shares of its size."""
    image = Image.open(BytesIO(locator.screenshot())).convert("RGB")
    return image.getpixel((int(image.width * across), int(image.height * down)))


def wait_for_epoch(page, number):
    page.wait_for_function("n => by('epoch').textContent === `Epoch ${n}`", arg=number)
    settle(page)


TRY_WHAT_IS_FORBIDDEN = """
    async (elements) => {
        const refused = new Set();
        document.addEventListener("securitypolicyviolation", (event) => {
            refused.add(event.effectiveDirective);
        });
        document.body.insertAdjacentHTML(
            "beforeend", "<b onclick='window.hacked=1' style='color:red'>x</b>");
        document.body.lastChild.click();
        for (const [name, attributes] of elements) {
            const made = document.createElement(name);
            for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
            document.body.append(made);
        }
        await fetch("https://example.invalid/").catch(() => null);
        await sleep(300);
        return [...refused, window.hacked ?? "safe"];
    }
"""


def refused(page, **urls):
    """What the page's policy refuses of elements with these URLs, and of what stands in a text."""
    attributes = {"object": "data", "link": "href"}
    elements = [
        [
            name,
            {attributes.get(name, "src"): url, **({"rel": "stylesheet"} if name == "link" else {})},
        ]
        for name, url in urls.items()
    ]
    return set(page.evaluate(TRY_WHAT_IS_FORBIDDEN, elements))
