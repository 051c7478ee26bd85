"""Results of a job that looks for targets in a video: a table for the record's `result`.

Paths begin below JobsDetail. PY and JAVA are cos-python-sdk-v5 and cos-java-sdk-v5.
"""

from __future__ import annotations

from handler.callback.results.fields import Fields, Group, Leaf, Rows
from handler.callback.results.leaves import boolean, number, seconds, text
from handler.callback.results.media import FILES, MEDIA_INFO

_FOUND: Fields = {
    "name": text("Name", "What it is", "person"),
    "score": number("Score", "Confidence, 0 to 100", 86.0),
    "x_px": number("Location.X", "Left edge", 469.0, "pixels"),
    "y_px": number("Location.Y", "Upper edge", 67.0, "pixels"),
    "width_px": number("Location.Width", "Width", 193.0, "pixels"),
    "height_px": number("Location.Height", "Height", 382.0, "pixels"),
}


def _recognised(paths: str, target_paths: str, about: str) -> Rows:
    """One kind of target: the moments, and what was found in each."""
    return Rows(
        "|".join(f"Operation.VideoTargetRecResult.{path}" for path in paths.split("|")),
        about,
        {
            "time_s": seconds("Time", "When", 1.206),
            "url": text("Url", "Address of the picture", "https://example.com/1206-1.jpg"),
            "found": Rows(f"{target_paths}|ResultInfo", "The findings at that time", _FOUND),
        },
    )


def _fusion(path: str, about: str) -> Leaf:
    return number(f"Operation.VideoTargetRecResult.{path}.FusionScore", about, 90.0)


# 视频目标检测 436/121129. JAVA (v2) has …RecognitionResult{FusionScore, ResultDetails{ResultInfo}}
# where the page and GO have …Recognition{…Info}; PY has CarPlateRecognition for plates, and JAVA
# (MediaTopkRecognition) the best of each. Which of the forms a callback has is not known.
VIDEO_TARGET_REC = Group(
    "",
    "The recognised content of the video, and its times",
    {
        "sensitive": boolean(
            "Operation.VideoTargetRecResult.Sensitive", "Whether it holds what is sensitive"
        ),
        "bodies": _recognised(
            "BodyRecognition|BodyRecognitionResult[].ResultDetails", "BodyInfo", "Human bodies"
        ),
        "pets": _recognised(
            "PetRecognition|PetRecognitionResult[].ResultDetails", "PetInfo", "Pets"
        ),
        "cars": _recognised(
            "CarRecognition|CarRecognitionResult[].ResultDetails", "CarInfo", "Vehicles"
        ),
        "faces": _recognised(
            "FaceRecognition|FaceRecognitionResult[].ResultDetails", "FaceInfo", "Faces"
        ),
        "plates": _recognised(
            "LicenseRecognitionResult[].ResultDetails|LicenseRecognitionResult|CarPlateRecognition",
            "PlateInfo|CarPlateInfo",
            "Number plates",
        ),
        "best": Rows(
            "Operation.VideoTargetRecResult.TopKRecognition|Operation.VideoTargetRec.TopKRecognition",
            "The moments that were recognised best",
            {
                "time_s": seconds("Time", "When", 1.206),
                "url": text("Url", "Address of the picture", "https://example.com/1206-1.jpg"),
                "score": number("Score", "Confidence, 0 to 100", 86.0),
                "bodies": Rows("BodyInfo", "Human bodies", _FOUND),
                "pets": Rows("PetInfo", "Pets", _FOUND),
                "cars": Rows("CarInfo", "Vehicles", _FOUND),
            },
        ),
        "fusion_scores": Group(
            "",
            "Confidence in each kind over all moments, 0 to 100",
            {
                "bodies": _fusion("BodyRecognitionResult", "Human bodies"),
                "pets": _fusion("PetRecognitionResult", "Pets"),
                "cars": _fusion("CarRecognitionResult", "Vehicles"),
                "faces": _fusion("FaceRecognitionResult", "Faces"),
                "plates": _fusion("LicenseRecognitionResult", "Number plates"),
            },
        ),
        # ProcessType Mosaic writes a video, too.
        "media": MEDIA_INFO,
        "files": FILES,
    },
)
