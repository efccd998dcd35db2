"""A comparison is on patients of whom neither model knows, and the looks at the test pictures are counted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from main import main
from semc_core.errors import UsageError
from semc_core.labels import NON_STANDARD
from semc_core.model.architecture import new_spec, random_weights
from semc_core.model.comparison import Comparison
from semc_core.model.file import read_model, read_spec, write_model
from tests.training.toy_folder import write_toy_folder
from training.data.index import DataIndex, join
from training.data.loading import load_index, open_index
from training.evaluation.predictions import Predictor
from training.held_out import learned_from, readings
from training.held_out.apart import DEAL_NAME, dealt_apart, keep_deal, kept_deal
from training.held_out.learned_from import KEY_NAME, known_groups, learned_arrays, patients_key
from training.promotion import compare

CLASSES = ("BAR", "DISC", NON_STANDARD)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty patients, and nothing that says who is in which split."""
    return write_toy_folder(tmp_path_factory.mktemp("toy") / "loops", 120, patients=40)


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keys and counts of this test alone."""
    folder = tmp_path / "user"
    monkeypatch.setattr(learned_from, "data_folder", lambda: folder)
    monkeypatch.setattr(readings, "data_folder", lambda: folder)
    return folder


def dealt(folder: Path, seed: int) -> DataIndex:
    return load_index([str(folder)], seed)


def groups_of(index: DataIndex, *splits: str) -> set[str]:
    return {sample.group for split in splits for sample in index.of_split(split)}


def model_of(path: Path, index: DataIndex | None, seed: int = 1) -> Path:
    """A model file as a training on the splits of `index` writes it; its weights know nothing."""
    spec = new_spec("semc_tiny", CLASSES)
    weights = random_weights(spec.architecture, len(CLASSES), seed)
    write_model(path, spec, weights | ({} if index is None else learned_arrays(index)))
    return path


def test_patients_that_the_model_in_use_learned_from_are_left_out(folder: Path, tmp_path: Path) -> None:
    index = dealt(folder, 1)
    trained, chosen, *others = sorted(groups_of(index, "test"))
    assert len(others) > 1
    before = index.with_splits({trained: "train", chosen: "validation"} | dict.fromkeys(others, "test"))
    known = {trained, chosen}
    new = model_of(tmp_path / "new.safetensors", index)
    old = model_of(tmp_path / "old.safetensors", before, seed=2)
    found = compare(new, old, index, threads=1)
    left = groups_of(index, "test") - known
    assert found.groups == len(left)
    assert found.frames == sum(sample.group in left for sample in index.of_split("test"))
    assert f"one of the models learned from {len(known)}. They are not among these." in found.sentence
    alone = replace(index, samples=tuple(s for s in index.samples if s.split != "test" or s.group in left))
    again = compare(new, old, alone, threads=1)
    assert (again.difference, again.low, again.high) == (found.difference, found.low, found.high)
    assert again.candidate == found.candidate
    assert "learned from" not in again.sentence


def test_where_too_few_are_left_nothing_is_compared_and_the_sentence_says_what_to_do(
    folder: Path, tmp_path: Path
) -> None:
    index = dealt(folder, 1)
    test = sorted(groups_of(index, "test"))
    splits = dict.fromkeys(test[:1], "test") | dict.fromkeys(test[1:], "train")
    old = model_of(tmp_path / "old.safetensors", index.with_splits(splits))
    found = compare(model_of(tmp_path / "new.safetensors", index), old, index, threads=1)
    assert found.verdict == "not compared"
    assert f"Of {len(test)} held-out patients or videos" in found.sentence
    assert "What is left, 1 patient or video, is too little to compare on. Split" in found.sentence
    assert found.refusal(found.candidate.sha256, found.current_sha256) == found.sentence


def test_a_set_that_was_split_beforehand_loses_nobody(folder: Path, tmp_path: Path) -> None:
    index = dealt(folder, 1)
    new, old = (model_of(tmp_path / f"{seed}.safetensors", index, seed) for seed in (1, 2))
    found = compare(new, old, index, threads=1)
    assert found.groups == len(groups_of(index, "test"))
    assert "learned from" not in found.sentence


def test_on_validation_pictures_those_count_that_a_model_was_trained_on(folder: Path, tmp_path: Path) -> None:
    index = dealt(folder, 1)
    index = replace(index, samples=tuple(one for one in index.samples if one.split != "test"))
    validation = sorted(groups_of(index, "validation"))
    new = model_of(tmp_path / "new.safetensors", index)
    assert compare(new, new, index, threads=1).groups == len(validation)
    trained = index.with_splits({validation[0]: "train"})
    found = compare(new, model_of(tmp_path / "old.safetensors", trained), index, threads=1)
    assert found.groups == len(validation) - 1


def test_a_model_that_does_not_say_whom_it_knows_is_compared_with_a_doubt(
    folder: Path, tmp_path: Path, own_data: Path
) -> None:
    index = dealt(folder, 1)
    new = model_of(tmp_path / "new.safetensors", index)
    silent = model_of(tmp_path / "silent.safetensors", None)
    assert "cannot be known here" in compare(new, silent, index, threads=1).sentence
    foreign = model_of(tmp_path / "foreign.safetensors", index, seed=2)
    assert "cannot be known here" not in compare(new, foreign, index, threads=1).sentence
    (own_data / KEY_NAME).unlink()  # as on another computer
    assert "cannot be known here" in compare(new, foreign, index, threads=1).sentence


def test_what_a_model_started_from_is_known_too_and_a_set_is_known_alone_or_as_one_of_several(
    folder: Path, tmp_path: Path
) -> None:
    first, index = dealt(folder, 2), dealt(folder, 1)
    arrays = learned_arrays(index, learned_arrays(first))
    learned = learned_from.learned_from(arrays)
    assert learned is not None
    known = known_groups(index, index.groups, learned, only_trained=True)
    assert known == groups_of(index, "train") | groups_of(first, "train")
    other = write_toy_folder(tmp_path / "others", 30, patients=5)
    joined = join([index, dealt(other, 1)])
    of_joined = known_groups(joined, joined.groups, learned, only_trained=True)
    assert of_joined == {f"loops/{group}" for group in known}


def test_no_name_is_in_the_model_file_and_the_hashes_differ_from_key_to_key(
    folder: Path, tmp_path: Path, own_data: Path
) -> None:
    index = dealt(folder, 1)
    path = model_of(tmp_path / "new.safetensors", index)
    content = path.read_bytes()
    assert not any(group.encode() in content for group in index.groups)
    _, arrays = read_model(path)
    key = patients_key()
    (own_data / KEY_NAME).unlink()
    other = learned_arrays(index)
    assert patients_key() != key
    mine, theirs = (set(map(tuple, each["training.groups"].tolist())) for each in (arrays, other))
    assert len(mine) == len(theirs) > 5
    assert not mine & theirs


def test_the_new_model_looks_at_the_test_pictures_once_and_its_card_says_how_often_anybody_did(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, asked = dealt(folder, 1), list[str]()
    answer = Predictor.answer

    def counted(self: Predictor, *given: object) -> object:
        asked.append(self.spec.sha256)
        return answer(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Predictor, "answer", counted)

    def compared(name: str, seed: int) -> Comparison:
        path = tmp_path / f"{name}.safetensors"
        if not path.exists():
            model_of(path, index, seed)
        return compare(path, old, index, 1, path.with_suffix(".run"))

    old = model_of(tmp_path / "old.safetensors", index, seed=9)
    first = compared("a", 1)
    assert read_spec(tmp_path / "a.safetensors").metrics["test_readings"] == 1
    assert "test readings: 1" in (tmp_path / "a.md").read_text(encoding="utf-8")
    assert first.candidate.sha256 == read_spec(tmp_path / "a.safetensors").sha256
    assert "looked at" not in first.sentence
    # Compared again, with another model in use: the answers are those of before.
    asked.clear()
    again = compared("a", 1)
    assert asked == [read_spec(old).sha256]
    assert again == first
    # Answers that were damaged are asked for again, and that is one more look.
    (tmp_path / "a.run" / "test_answers.npz").write_bytes(b"PK damaged")
    compared("a", 1)
    assert read_spec(tmp_path / "a.safetensors").metrics["test_readings"] == 2
    second = compared("b", 2)
    assert read_spec(tmp_path / "b.safetensors").metrics["test_readings"] == 3
    assert "have been looked at 3 times" in second.sentence
    # Other weights in the same folder are another model.
    model_of(tmp_path / "b.safetensors", index, 3)
    asked.clear()
    compared("b", 3)
    assert len(asked) == 2
    assert read_spec(tmp_path / "b.safetensors").metrics["test_readings"] == 4
    # Another split is another count.
    other = dealt(folder, 2)
    path = model_of(tmp_path / "c.safetensors", other)
    compare(path, old, other, 1, path.with_suffix(".run"))
    assert read_spec(path).metrics["test_readings"] == 1


def test_an_evaluation_on_the_test_split_counts_too(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    splits = write_toy_folder(tmp_path / "loops", 60)
    assert main(["data", "split", str(splits)]) == 0
    model = model_of(tmp_path / "model.safetensors", None)
    capsys.readouterr()
    given = ["eval", str(model), str(splits), "--threads", "1", "--draws", "10"]
    assert main(given) == 0
    assert "have been looked at" not in capsys.readouterr().out
    assert main([*given, "--split", "validation"]) == 0
    assert "have been looked at" not in capsys.readouterr().out
    assert main(given) == 0
    assert "have been looked at 2 times" in capsys.readouterr().out


def test_a_new_deal_tests_on_patients_that_the_model_in_use_does_not_know(
    folder: Path, tmp_path: Path
) -> None:
    unsplit = open_index([str(folder)])
    before = unsplit.split(2)
    old = model_of(tmp_path / "old.safetensors", before)
    assert groups_of(unsplit.split(1), "test") & groups_of(before, "train", "validation")
    found = dealt_apart(unsplit, old, 1)
    assert groups_of(found, "test") <= groups_of(before, "test")
    assert groups_of(before, "train") <= groups_of(found, "train")
    assert groups_of(before, "validation") <= groups_of(found, "validation")
    knows = len(groups_of(before, "train", "validation"))
    assert f"knows {knows} patients or videos; the test split is of others." in found.notes[-1]
    # Who says nothing changes nothing, and neither does a model that knows everybody.
    silent = model_of(tmp_path / "silent.safetensors", None)
    assert dealt_apart(unsplit, silent, 1) == unsplit.split(1)
    everybody = unsplit.with_splits(dict.fromkeys(unsplit.groups, "train"))
    assert dealt_apart(unsplit, model_of(tmp_path / "all.safetensors", everybody), 1) == unsplit.split(1)
    # What was dealt beforehand stays.
    assert dealt_apart(before, model_of(tmp_path / "b.safetensors", unsplit.split(3)), 1) == before


def test_a_run_goes_on_with_its_own_deal(folder: Path, tmp_path: Path) -> None:
    unsplit = open_index([str(folder)])
    run, dealt_then = tmp_path / "a.run", unsplit.split(5)
    assert kept_deal(run, unsplit) is None
    keep_deal(run, dealt_then)
    assert kept_deal(run, unsplit) == dealt_then
    names = (run / DEAL_NAME).read_text(encoding="utf-8")
    assert not any(group in names for group in unsplit.groups)
    fewer = replace(unsplit, samples=unsplit.samples[:5])
    grown = write_toy_folder(tmp_path / "loops", 150, patients=50)
    assert kept_deal(run, open_index([str(grown)])) is None
    assert kept_deal(run, fewer) is not None
    (run / DEAL_NAME).write_text('{"a": "elsewhere"}', encoding="utf-8")
    with pytest.raises(UsageError, match="is damaged; train without --resume"):
        kept_deal(run, unsplit)


@pytest.mark.long
def test_a_second_training_of_a_grown_set_is_compared_and_can_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_toy_folder(tmp_path / "loops", 120, patients=20)
    given = ["train", "--data", str(data), "--preset", "semc_tiny", "--steps", "4", "--batch", "8"]
    given += ["--validations", "1", "--threads", "1", "--full-size"]
    first, second = (str(tmp_path / f"{name}.safetensors") for name in ("first", "second"))
    assert main([*given, "--out", first]) == 0
    assert main(["model", "use", first, "--force"]) == 0
    write_toy_folder(data, 150, patients=25)
    capsys.readouterr()
    assert main([*given, "--out", second, "--seed", "3"]) == 0
    said = capsys.readouterr().out
    assert "the test split is of others" in said
    assert "was not compared" not in said
    assert "learned from" not in said
    assert main(["model", "use", second, "--force"]) == 0
    capsys.readouterr()
    assert main([*given, "--out", second, "--seed", "3", "--resume"]) == 0
    assert "Goes on at step 4" in capsys.readouterr().out
    assert read_spec(Path(second)).metrics["test_readings"] == 1
