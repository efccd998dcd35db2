"""What a check finds in a data set, and how its groups are dealt to splits."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from main import main
from semc_core.errors import UsageError
from semc_core.imaging.preprocess import Preprocessing, prepare, whole
from tests.training.data.data_sets import picture
from training.data import loading as frames_module
from training.data.checks import clusters, groups_with_same_files, inspect, near_pairs
from training.data.images import read_pictures
from training.data.index import SPLIT_FILE, DataIndex, Sample, check_leaks, make_index, read_splits
from training.data.loading import load_frames
from training.data.readers import ReadOptions, open_data
from training.data.splits import choose_patients


def invented(groups: int, seed: int = 1) -> DataIndex:
    """Groups of 1-12 pictures, some with one class, some with several; no files."""
    rng = np.random.default_rng(seed)
    samples = []
    for group in range(groups):
        favourite = rng.integers(3)
        for number in range(int(rng.integers(1, 13))):
            label = "ABC"[int(favourite if rng.random() < 0.7 else rng.integers(3))]
            samples.append(Sample(Path(f"/none/{group}-{number}.png"), label, f"g{group:03d}"))
    return make_index("invented", samples, Path("/none"))


def test_a_deal_keeps_groups_whole_and_classes_alike() -> None:
    index = invented(120)
    dealt = index.split(5, (0.6, 0.2, 0.2))
    check_leaks(dealt.samples)
    total = Counter(sample.label for sample in index.samples)
    for split, share in (("train", 0.6), ("validation", 0.2), ("test", 0.2)):
        for name, count in Counter(sample.label for sample in dealt.of_split(split)).items():
            assert count / total[name] == pytest.approx(share, abs=0.02), (split, name)
    assert dealt == index.split(5, (0.6, 0.2, 0.2))
    assert dealt != index.split(6, (0.6, 0.2, 0.2))


def test_who_was_held_out_stays_held_out_when_data_grows() -> None:
    before = invented(30).split(1)
    homes = {sample.group: sample.split for sample in before.samples}
    grown = invented(60)
    after = grown.with_splits(homes).split(1)
    assert {sample.group: sample.split for sample in after.samples if sample.group in homes} == homes
    assert all(sample.split for sample in after.samples)


def test_validation_is_drawn_from_train_where_there_is_none() -> None:
    index = invented(40).split(1, (0.7, 0, 0.3))
    dealt = index.split(1)
    assert set(index.of_split("test")) == set(dealt.of_split("test"))
    assert dealt.of_split("validation")


def test_groups_that_hang_together_are_dealt_as_one() -> None:
    chain = [{"g001", "g002"}, {"g003", "g004"}, {"g002", "g003"}]
    homes = {sample.group: sample.split for sample in invented(40).split(1, together=chain).samples}
    assert len({homes[f"g00{number}"] for number in (1, 2, 3, 4)}) == 1


def test_deals_that_make_no_sense_are_refused() -> None:
    with pytest.raises(UsageError, match="too few groups"):
        invented(2).split(1)
    for shares in ((0.0, 0.5, 0.5), (-1.0, 1.0, 1.0), (0.0, 0.0, 0.0)):
        with pytest.raises(UsageError, match="shares"):
            invented(9).split(1, shares)


def test_every_split_gets_a_group_where_there_are_enough() -> None:
    samples = [Sample(Path(f"/none/{i}.png"), "A", f"g{i // 50}") for i in range(150)]
    dealt = make_index("x", samples, Path("/none")).split(1)
    assert {sample.split for sample in dealt.samples} == {"train", "validation", "test"}


def test_near_pairs_are_those_of_a_slow_loop() -> None:
    rng = np.random.default_rng(3)
    hashes = rng.integers(0, 2**63, (70, 4), dtype=np.uint64)
    hashes[40:60] = hashes[:20] ^ np.uint64(0b10110)
    bits = [[int(word).bit_count() for word in first ^ second] for first in hashes for second in hashes]
    slow = [divmod(place, 70) for place, each in enumerate(bits) if sum(each) <= 12]
    assert near_pairs(hashes, 12) == [(i, j) for i, j in slow if i < j]
    assert len(near_pairs(hashes, 12)) == 20
    assert clusters(6, [(0, 3), (3, 5), (1, 2)]) == [[0, 3, 5], [1, 2]]


@pytest.fixture
def spoiled(tmp_path: Path) -> Path:
    """Pictures of two classes and three splits, with everything wrong that can be."""
    data = tmp_path / "data"
    for number in range(9):
        split = ("train", "val", "test")[number % 3]
        picture(data / split / "AB"[number % 2] / f"p{number}" / "1.png", number)
    original = data / "train" / "A" / "p0" / "1.png"
    (data / "test" / "A" / "p20").mkdir()
    (data / "test" / "A" / "p20" / "copy.png").write_bytes(original.read_bytes())
    (data / "train" / "B" / "p21").mkdir()
    (data / "train" / "B" / "p21" / "copy.png").write_bytes(original.read_bytes())
    original_b = cv2.imread(str(data / "train" / "B" / "p3" / "1.png"), cv2.IMREAD_GRAYSCALE)
    assert original_b is not None
    (data / "val" / "B" / "p22").mkdir()
    cv2.imwrite(
        str(data / "val" / "B" / "p22" / "near.png"), np.clip(original_b * 0.9 + 9, 0, 255).astype(np.uint8)
    )
    (data / "test" / "B" / "p23").mkdir()
    (data / "test" / "B" / "p23" / "cut.png").write_bytes(original.read_bytes()[:60])
    return data


def test_a_check_finds_all_that_spoils_a_training(spoiled: Path) -> None:
    report = inspect(open_data(spoiled))
    assert not report.ok
    assert [sample.path.name for sample, _ in report.unreadable] == ["cut.png"]
    assert [{sample.group for sample in each} for each in report.exact] == [{"p0", "p20", "p21"}]
    assert [{sample.group for sample in each} for each in report.near] == [{"p3", "p22"}]
    assert len(report.contradictions) == 1
    assert len(report.leaks) == 2
    assert report.sizes == Counter({(64, 48): 12})


def test_the_check_command_reports_and_says_no(
    spoiled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "check", str(spoiled), "--json", str(tmp_path / "report.json")]) == 1
    told = capsys.readouterr().out
    assert told.count("Leak:") == 2
    assert "mended" in told
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert [sorted(each) for each in report["duplicates"]] == [
        ["test/A/p20/copy.png", "train/A/p0/1.png", "train/B/p21/copy.png"]
    ]
    assert report["classes"]["A"]["test"] == 3


def test_a_split_by_looks_leaves_no_leak(spoiled: Path) -> None:
    (spoiled / "test" / "B" / "p23" / "cut.png").unlink()
    (spoiled / "train" / "B" / "p21" / "copy.png").unlink()
    assert main(["data", "check", str(spoiled)]) == 1
    assert main(["data", "split", str(spoiled), "--anew", "--alike"]) == 0
    assert main(["data", "check", str(spoiled)]) == 0


def test_the_split_command_keeps_copies_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    for number in range(12):
        picture(data / "AB"[number % 2] / f"p{number}" / "1.png", number // 2 * 2 if number < 4 else number)
    assert main(["data", "split", str(data), "--seed", "3", "--shares", "50/25/25"]) == 0
    assert "4 groups share pictures" in capsys.readouterr().out
    index = open_data(data)
    homes = {sample.group: sample.split for sample in index.samples}
    assert homes["p0"] == homes["p1"]
    assert homes["p2"] == homes["p3"]
    assert {sample.split for sample in index.samples} == {"train", "validation", "test"}
    picture(data / "A" / "p99" / "1.png", 99)
    assert any("1 new group in no split" in note for note in open_data(data).notes)
    table = data / SPLIT_FILE
    elsewhere = tmp_path / "elsewhere.csv"
    assert main(["data", "split", str(data), "--out", str(elsewhere), "--anew", "--seed", "4"]) == 0
    assert open_data(data, ReadOptions(splits=elsewhere)).of_split("test") != index.of_split("test")
    table.write_text(
        table.read_text(encoding="utf-8").replace(",p5,train", ",p5,test") + "A/p5/1.png,A,,p5,train,0\n",
        encoding="utf-8",
    )
    table.write_text(table.read_text(encoding="utf-8") + "A/p5/1.png,A,,p5,test,0\n", encoding="utf-8")
    assert main(["data", "check", str(data)]) == 2
    assert "p5 is in" in capsys.readouterr().err


def test_the_table_of_splits_remembers_the_patients_that_an_expression_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    for number in range(12):
        for view in range(2):
            picture(data / "AB"[number % 2] / f"p{number:02}_{view}.png", 2 * number + view)
    assert main(["data", "split", str(data), "--groups", r"p\d+"]) == 0
    dealt = {sample.path: sample.split for sample in open_data(data, ReadOptions(r"p\d+")).samples}
    found = open_data(data)
    assert (len(found.groups), found.notes) == (12, ())
    assert {sample.path: sample.split for sample in found.samples} == dealt
    assert main(["data", "split", str(data)]) == 0
    assert {sample.path: sample.split for sample in open_data(data).samples} == dealt
    picture(data / "A" / "p00_9.png", 99)
    capsys.readouterr()
    assert main(["data", "check", str(data)]) == 0
    said = capsys.readouterr().out
    assert "1 new group in no split" in said
    assert "Nothing says which pictures show the same patient" in said


def test_a_new_patient_elsewhere_is_no_known_one_because_a_file_has_the_same_name(tmp_path: Path) -> None:
    def scan(patient: str, number: int) -> Sample:
        return Sample(tmp_path / "scans" / patient / f"{number}.png", "A", patient)

    known = [replace(scan("p1", 1), split="train"), replace(scan("p2", 2), split="test")]
    make_index("set", known, tmp_path / "table").save(tmp_path / "splits.csv")
    grown = make_index("set", [*known, scan("p3", 1), scan("p3", 2)], tmp_path / "table")
    found = grown.with_stored(read_splits(tmp_path / "splits.csv"), regroup=True)
    assert [(sample.group, sample.split) for sample in found.samples] == [
        ("p1", "train"), ("p2", "test"), ("p3", ""), ("p3", ""),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "file,group\n", "file,label,source,group,split,frame\n", "a,b\n1,2\n"])
def test_a_table_of_splits_without_splits_is_refused(text: str, tmp_path: Path) -> None:
    for number in range(2):
        picture(tmp_path / "AB"[number] / f"{number}.png", number)
    (tmp_path / SPLIT_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be read as a table of splits"):
        open_data(tmp_path)


def test_pictures_dealt_one_by_one_are_still_said_to_be_so(tmp_path: Path) -> None:
    for number in range(12):
        picture(tmp_path / "AB"[number % 2] / f"{number}.png", number)
    assert main(["data", "split", str(tmp_path)]) == 0
    assert "each is a group of its own" in " ".join(open_data(tmp_path).notes)


def test_copies_under_other_names_hold_their_groups_together(tmp_path: Path) -> None:
    for group, seed in (("a", 1), ("b", 1), ("c", 2)):
        picture(tmp_path / "K" / group / f"{group}.png", seed)
    picture(tmp_path / "L" / "c" / "l.png", 3)
    assert groups_with_same_files(open_data(tmp_path)) == [{"a", "b"}]


def test_pictures_are_what_the_live_path_gives(tmp_path: Path) -> None:
    for number in range(4):
        picture(tmp_path / "A" / f"{number}.png", number, (60 + number, 90))
    spec = Preprocessing(32, 40, mean=(0.2, 0.3), std=(0.5, 0.4), clahe=True)
    index = open_data(tmp_path)
    found = load_frames(index, "", spec)
    shares = found.frames.numpy()[:, None].astype(np.float64) / 255
    inputs = (shares - np.reshape(spec.mean, (1, 2, 1, 1))) / np.reshape(spec.std, (1, 2, 1, 1))
    for place, sample in enumerate(index.samples):
        (shown,) = read_pictures(sample.path, [0])
        assert np.abs(inputs[place] - prepare(shown.picture.pixels, shown.crop, spec)).max() < 1e-6
        assert shown.crop == whole(shown.picture.pixels)
    square = load_frames(index, "", spec, side=24)
    assert square.frames.shape == (4, 24, 24)


def test_a_large_set_lies_on_the_disk_and_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(70):
        picture(tmp_path / "data" / "AB"[number % 2] / f"{number}.png", number)
    index, spec, cache = open_data(tmp_path / "data").split(1), Preprocessing(16, 16), tmp_path / "cache"
    small = load_frames(index, "train", spec, cache=cache)
    assert not cache.exists()
    monkeypatch.setattr(frames_module, "_IN_MEMORY_BYTES", 0)
    steps: list[int] = []
    large = load_frames(index, "train", spec, cache=cache, progress=lambda done, total: steps.append(done))
    assert np.array_equal(large.frames.numpy(), small.frames.numpy())
    assert (large.rows, large.labels.tolist()) == (small.rows, small.labels.tolist())
    assert steps[-1] == len(small.rows)
    monkeypatch.setattr(frames_module, "read_pictures", None)
    again = load_frames(index, "train", spec, cache=cache)
    assert np.array_equal(again.frames.numpy(), small.frames.numpy())
    with pytest.raises(TypeError):
        load_frames(index, "train", spec, side=8, cache=cache)
    assert sorted(path.suffix for path in cache.iterdir()) == [".json", ".npy"]


def test_frames_are_refused_from_sets_with_leaks_or_without_a_split(tmp_path: Path) -> None:
    path = picture(tmp_path / "A" / "1.png", 1)
    spec = Preprocessing(16, 16)
    leaking = [Sample(path, "A", "g", split="train"), Sample(path, "A", "g", split="test", frame=1)]
    with pytest.raises(UsageError, match="The group g is in"):
        load_frames(make_index("x", leaking, tmp_path), "train", spec)
    with pytest.raises(UsageError, match="semc data split"):
        load_frames(open_data(tmp_path), "train", spec)
    with pytest.raises(UsageError, match="no test pictures"):
        load_frames(make_index("x", leaking[:1], tmp_path), "test", spec)
    path.write_bytes(b"no picture")
    with pytest.raises(UsageError, match="semc data check"):
        load_frames(open_data(tmp_path), "", spec)


def test_simulated_patients_become_a_data_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "set"
    command = ["phantom", "dataset", "--frames", "4", "--size", "32", "--processes", "1", "--out", str(out)]
    assert main([*command, "--patients", "2000:2001"]) == 0
    index = open_data(out)
    assert (index.groups, len(index.of_split("test"))) == (("02000",), 4)
    assert main([*command, "--patients", "2"]) == 2
    assert "number of patients" in capsys.readouterr().err
    assert choose_patients("20") == [*range(14), *range(1000, 1003), *range(2000, 2003)]
