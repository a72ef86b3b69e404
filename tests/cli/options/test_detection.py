"""What counts as unusual, and which rows of it are shown."""

import numpy as np
import pandas as pd
import pytest

from lstmcast import Detection, UsageError
from lstmcast.cli.options.detection import DetectionOptions
from lstmcast.monitoring.detection import build_judged_rows
from lstmcast.monitoring.evidence.stream import EvidenceStream


@pytest.fixture(scope="module")
def detection() -> Detection:
    values = np.random.default_rng(0).normal(size=200)
    values[150:153] = 30
    stream = EvidenceStream(0.001)
    judged = [stream.judge_row(value) for value in values.tolist()]
    columns = {"step": np.arange(200)}
    return Detection(build_judged_rows(columns, values, judged, "event"))


def test_all_rows_those_of_events_or_the_events_are_shown(detection: Detection) -> None:
    assert DetectionOptions().select(detection).equals(detection.rows)
    unusual = DetectionOptions(only_anomalies=True).select(detection)
    assert unusual["step"].tolist()[:3] == [150, 151, 152]
    assert unusual["event"].notna().all() and len(unusual) < 10
    events = DetectionOptions(events=True, only_anomalies=True).select(detection)
    pd.testing.assert_frame_equal(events, detection.events)
    assert len(events) == 1


def test_the_rate_is_a_share_or_a_word() -> None:
    assert DetectionOptions().find_rate() == 0.001
    assert DetectionOptions(rate=0.02).find_rate() == 0.02
    assert DetectionOptions(sensitivity="low").find_rate() == 0.0003
    with pytest.raises(UsageError, match="two ways"):
        DetectionOptions(rate=0.02, sensitivity="low").find_rate()
