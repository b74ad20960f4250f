"""Start In-Context Lab: `python app.py`, then open http://localhost:7860."""

from lab.ui.app import LAUNCH, build

demo = build()

if __name__ == "__main__":
    demo.launch(**LAUNCH)
