"""The words of a text, as a job that takes it apart reports them, or one on speech."""

from __future__ import annotations

from handler.callback.results.fields import Fields, Group, Rows
from handler.callback.results.leaves import integer, text

# 分词任务回调. "Lable" is how CI writes it.
WORDS: Fields = {
    "labels": Rows(
        "WordsGeneralizeLable",
        "Words that belong to a category",
        {
            "category": text("Category", "The category", "出行"),
            "word": text("Word", "The word", "打车"),
        },
    ),
    "tokens": Rows(
        "WordsGeneralizeToken",
        "All words, in the order of the text",
        {
            "word": text("Word", "The word", "今天"),
            "part_of_speech": text("Pos", "Its part of speech, as CI abbreviates it", "t"),
            "offset_chars": integer("Offset", "Its place in the text", 0, "characters"),
            "length_chars": integer("Length", "Its length", 2, "characters"),
        },
    ),
}
WORDS_GENERALIZE = Group("Operation.WordsGeneralizeResult", "The words of the text", WORDS)
