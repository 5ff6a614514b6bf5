"""The documents that hand a run to pages of other folders, in a real browser."""

import json

import pytest
from support.browser import in_browser
from support.page_runs import make_run, read_script
from support.server import serve

pytestmark = in_browser

HOSTILE = "</script><img src=x onerror=alert(1)>\u2028<!--<script>"
NAMES = ("run", "snapshots", "latest")

# A page in another folder, which may run its own script and have frames, and nothing else.
READER = """<!DOCTYPE html>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline';
 frame-src 'self' file:">
<title>A reader</title>
<script>
const read = {};
const asked = URLS;
addEventListener("message", ({ data, source, origin }) => {
  const frame = [...document.querySelectorAll("iframe")].find((one) => one.contentWindow === source);
  if (frame) read[frame.dataset.name] = { ...data, origin };
});
for (const [name, url] of Object.entries(asked)) {
  const frame = document.createElement("iframe");
  frame.sandbox = "allow-scripts";
  frame.dataset.name = name;
  frame.src = url;
  document.documentElement.append(frame);
}
</script>
"""


def write_reader(folder, base="../a%20run/"):
    folder.mkdir()
    urls = {name: f"{base}{name}.html" for name in NAMES}
    (folder / "index.html").write_text(READER.replace("URLS", json.dumps(urls)))


@pytest.fixture
def folder(tmp_path):
    run = tmp_path / "a run"
    run.mkdir()
    make_run(run, 3, names=(HOSTILE,)).tell("finished")
    write_reader(tmp_path / "reader")
    return run


def assert_reads(page, folder):
    page.wait_for_function("() => Object.keys(read).length === 3")
    for name, found in page.evaluate("read").items():
        segment, content = read_script(folder / f"{name}.js")
        assert found["kerasImageSaver"] == segment
        assert json.loads(found["text"]) == content
        assert found["origin"] == "null"  # of the sandbox


def test_page_of_another_folder_reads_a_run_from_disk(context, folder):
    page = context.new_page()
    errors = []
    page.on("console", lambda said: errors.append(said.text))
    page.goto((folder.parent / "reader" / "index.html").as_uri())
    assert_reads(page, folder)
    assert errors == []
    page.close()


def test_page_of_another_folder_reads_a_run_from_a_server(open_page, folder):
    with serve(folder.parent) as served:
        assert_reads(open_page(f"{served.url}reader/"), folder)


def test_page_of_another_server_reads_nothing(open_page, folder, tmp_path):
    with serve(folder.parent) as served:
        write_reader(tmp_path / "elsewhere", f"{served.url}a%20run/")
        html = tmp_path / "elsewhere" / "index.html"
        html.write_text(html.read_text().replace("'self' file:", "http:"))
        with serve(tmp_path / "elsewhere") as elsewhere:
            page = open_page(elsewhere.url)
            page.wait_for_load_state("networkidle")
            assert {f"{name}.html" for name in NAMES} <= served.names
            assert page.evaluate("read") == {}


def test_document_of_a_run_alone_shows_nothing_and_runs_one_script(open_page, folder):
    page = open_page((folder / "run.html").as_uri())
    assert page.locator("body").inner_text() == ""
    assert page.locator("img").count() == 0
