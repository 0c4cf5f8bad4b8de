"""Writes the generated files; the golden vectors come from the codec as it was when this started, so run it twice."""

from firmware_bridge.codegen import ROOT, generated

for path, text in generated().items():
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
