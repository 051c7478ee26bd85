"""Results of jobs on speech and music: tables for the record's `result`.

Sources: callback page "语音识别回调"; VocalScore 460/96718; SoundHoundResult and
VocalScoreResult of cos-go-sdk-v5; WordsGeneralizeResult of a recording in qcloud-sdk-ios.
Paths begin below JobsDetail.
"""

from __future__ import annotations

from handler.callback.results.fields import Group, Rows
from handler.callback.results.leaves import integer, key, number, seconds, text, texts
from handler.callback.results.transcript import Segments, Transcript
from handler.callback.results.words import WORDS

_RESULT = "Operation.SpeechRecognitionResult"

SPEECH_RECOGNITION = Group(
    "",
    "The text of the recording",
    {
        "audio_time_s": seconds(f"{_RESULT}.AudioTime", "Length of the recording", 19.7124),
        "text": Transcript(_RESULT),
        "segments": Segments(_RESULT, "The text, sentence by sentence"),
        "object": key(f"{_RESULT}.ObjectName", "Key of the object that holds the text", "out.txt"),
        "detail_object": key(
            f"{_RESULT}.DetailObjectName", "Key of the object that holds its details", "out.detail"
        ),
        "generalized": Group(
            f"{_RESULT}.WordsGeneralizeResult",
            "The words of the text; null where they were not asked for",
            WORDS,
            optional=True,
        ),
    },
)

SOUND_HOUND = Group(
    "Operation.SoundHoundResult",
    "The songs that were recognised",
    {
        "songs": Rows(
            "SongList",
            "The songs, as they were sent",
            {
                "song": text("SongName", "Name of the song", "晴天"),
                "singers": texts("SingerName", "Who sings it", ["周杰伦"]),
                "inlier": integer("Inlier", "How well it fits: higher is better", 100),
            },
        ),
    },
)


def _score(path: str, about: str) -> Group:
    return Group(
        path,
        about,
        {
            "total_score": number("TotalScore", "Score of the whole", 86.5),
            "sentences": Rows(
                "SentenceScores",
                "Scores, sentence by sentence",
                {
                    "begin_s": seconds("StartTime", "Begin of the sentence", 12.5),
                    "end_s": seconds("EndTime", "End of the sentence", 16.0),
                    "score": number("Score", "Score of the sentence", 90.0),
                },
            ),
        },
        optional=True,
    )


# "Rhythem" is how CI writes it.
VOCAL_SCORE = Group(
    "Operation.VocalScoreResult",
    "How well it was sung",
    {
        "pitch": _score("PitchScore", "Pitch; null where absent"),
        "rhythm": _score("RhythemScore", "Rhythm; null where absent"),
    },
)
