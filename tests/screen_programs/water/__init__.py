"""The screen of a water treatment plant as a web page; `tests.screen_programs.web` serves it."""
