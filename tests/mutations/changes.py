"""Changes that make the program wrong, each with the test that must fail. All once went unnoticed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one file.

    Attributes:
        what: For people: what the program then does.
        path: Of the file, from the root.
        old: Text that stands in it exactly once.
        new: What stands there then.
        test: That must fail, from the root, with its file and name.
    """

    what: str
    path: str
    old: str
    new: str
    test: str


_PUBLISH: Final = "tests/training/test_publish.py"
_SEMC: Final = "tests/training/trainer/test_semc.py"
_LOSSES: Final = "tests/training/losses/test_losses.py"
_BY_NAME: Final = "tests/training/losses/test_losses_by_name.py"
_PRETRAIN: Final = "tests/training/pretrain/test_pretrain.py"
_FLIPS: Final = (
    "tests/training/transforms/test_recipes.py::"
    "test_a_recipe_flips_as_it_is_published_and_turns_none_on_its_side"
)
_LEARNED: Final = "[each for each in learned.parameters() if each.requires_grad]"


def _all_but(part: str) -> str:
    """The weights that learn, without those whose name has `part`."""
    return f"[one for name, one in learned.named_parameters() if one.requires_grad and {part!r} not in name]"


CHANGES: Final = (
    Change(
        "finish() stores temperature 1",
        "training/publish.py",
        "Calibration(temperature, _NOVELTY_SLOPE)",
        "Calibration(1.0, _NOVELTY_SLOPE)",
        f"{_PUBLISH}::test_what_was_fitted_on_the_validation_frames_is_in_the_file",
    ),
    Change(
        "best weights are chosen on training frames",
        "training/trainer/semc.py",
        "side, data = self.side(progress), self.validation_set",
        "side, data = self.side(progress), self.train_set",
        f"{_SEMC}::test_the_averaged_network_is_judged_on_the_validation_frames",
    ),
    Change(
        "best weights are saved raw, not averaged",
        "training/trainer/trainer.py",
        '{"network": self.module.best_network().state_dict()}',
        '{"network": self.module.network.state_dict()}',
        f"{_SEMC}::test_the_average_of_the_best_validation_is_kept",
    ),
    Change(
        "recalibration uses the old temperature for thresholds",
        "training/evaluation/recalibrate.py",
        "_probabilities(Calibrator(spec, arrays), kept.logits",
        "_probabilities(Calibrator(read_model(model)[0], arrays), kept.logits",
        "tests/training/evaluation/test_evaluate.py::"
        "test_thresholds_are_chosen_on_probabilities_of_the_new_temperature",
    ),
    Change(
        "the ablation is scored on validation patients",
        "training/ablation/runs.py",
        "clear(frames.validation), clear(frames.test)",
        "clear(frames.validation), clear(frames.validation)",
        "tests/training/test_ablation.py::test_a_network_is_judged_by_its_average_on_the_test_patients",
    ),
    Change(
        'the row "+ ACE + L_mc" trains the full network',
        "training/ablation/variants.py",
        '"+ ACE + L_mc", "semc-ace"',
        '"+ ACE + L_mc", "semc"',
        "tests/training/test_ablation.py::test_every_variant_is_what_its_name_says",
    ),
    Change(
        "an ablation's intervals know no other seeds",
        "training/evaluation/nested.py",
        ".integers(0, seeds, (draws, seeds))",
        ".integers(0, seeds, (draws, seeds)) * 0 + np.arange(seeds)",
        "tests/training/ablation/test_tables.py::test_intervals_hold_both_patients_and_seeds",
    ),
    Change(
        "intervals of few seeds are as short as those of many",
        "training/evaluation/nested.py",
        "if stretch and seeds > 1:",
        "if False:",
        "tests/training/evaluation/test_nested.py::test_without_the_stretch_intervals_of_few_seeds_are_too_short",
    ),
    Change(
        "a comparison chooses the best by seeds that not all have",
        "training/compare/plan.py",
        "-mean_validation(whole[name], seeds)",
        "-mean_validation(whole[name])",
        "tests/training/compare/test_tables.py::test_the_best_on_validation_and_semc_get_more_seeds",
    ),
    Change(
        "a comparison's thresholds are chosen on the test patients",
        "training/compare/runs.py",
        "truth = validation.labels.numpy()\n    thresholds = best_thresholds(judged.validation, truth)",
        "thresholds = best_thresholds(judged.test, test.labels.numpy())",
        "tests/training/compare/test_runs.py::test_thresholds_are_chosen_on_the_validation_patients",
    ),
    Change(
        "a country that is left out is learned from",
        "training/ablation/countries.py",
        "data.subset(~own & ~validation)",
        "data.subset(~validation)",
        "tests/training/ablation/test_countries.py::test_each_source_is_tested_on_by_those_who_never_saw_it",
    ),
    Change(
        "a neighbour of a plane is labelled as the plane",
        "training/data/hard.py",
        "NON_STANDARD if way else plane, offset",
        "plane, offset",
        "tests/training/data/test_hard.py::"
        "test_a_neighbour_says_which_plane_it_is_beside_how_far_and_in_which_direction",
    ),
    Change(
        "promotion's interval is over frames instead of groups",
        "training/promotion.py",
        "GroupDraws([row.group for row in data.rows])",
        "GroupDraws([str(place) for place in range(len(data.rows))])",
        "tests/training/test_promotion.py::test_the_interval_is_over_patients_and_not_over_their_frames",
    ),
    Change(
        "the alpha network is never optimised",
        "training/trainer/module.py",
        _LEARNED,
        _all_but("alpha."),
        f"{_SEMC}::test_a_step_changes_every_weight_that_may_learn",
    ),
    Change(
        "the second task's SimCLR head is never optimised",
        "training/trainer/module.py",
        _LEARNED,
        _all_but("head."),
        f"{_SEMC}::test_a_step_changes_every_weight_that_may_learn",
    ),
    Change(
        "the SimCLR head of a pretraining is never optimised",
        "training/trainer/module.py",
        _LEARNED,
        _all_but("head."),
        f"{_PRETRAIN}::test_a_step_of_pretraining_changes_encoder_and_projection_head_and_no_classifier",
    ),
    Change(
        "the alpha network sees zeros",
        "training/losses/semc.py",
        "self.alpha(details.fused_pooled)",
        "self.alpha(torch.zeros_like(details.fused_pooled))",
        f"{_LOSSES}::test_alpha_is_learned_from_what_each_sample_shows",
    ),
    Change(
        "GPaCo's pair weight is 1",
        "training/losses/config.py",
        "o.temperature, o.pair_weight, o.pair_smoothing",
        "o.temperature, 1.0, o.pair_smoothing",
        f"{_BY_NAME}::test_pairs_count_in_gpaco_as_the_options_say",
    ),
    Change(
        "GPaCo's pair weight is 1 unless one says otherwise",
        "training/losses/config.py",
        "pair_weight: float = 0.05",
        "pair_weight: float = 1.0",
        f"{_BY_NAME}::test_the_recipes_of_losses_are_the_papers_the_released_codes_and_this_programs",
    ),
    Change(
        "class counts are made up",
        "training/trainer/semc.py",
        "counts = torch.bincount(self.train_set.labels, minlength=len(self.train_set.classes))",
        "counts = torch.ones(len(self.train_set.classes), dtype=torch.long)",
        f"{_SEMC}::test_class_weights_and_the_majority_are_those_of_the_training_frames",
    ),
    Change(
        "lambda is hard-coded",
        "training/losses/semc.py",
        "contrast = supcon + self.options.self_weight * selfcon",
        "contrast = supcon + 0.1 * selfcon",
        f"{_LOSSES}::test_total_mixes_by_alpha_and_lambda_and_feeds_the_queue",
    ),
    Change(
        "the released recipe has no class weights",
        "training/losses/config.py",
        'smoothing=0.0, class_weights="inverse"',
        "smoothing=0.0",
        f"{_SEMC}::test_the_released_recipe_weighs_the_rare_classes_up",
    ),
    Change(
        "the learning-rate schedule is never applied",
        "training/trainer/semc.py",
        'group["lr"] = self._rate(progress)',
        'group["lr"] = self.options.rate',
        f"{_SEMC}::test_a_step_of_sgd_goes_down_the_cut_gradient_by_the_rate_of_the_schedule",
    ),
    Change(
        "gradients are not clipped",
        "training/trainer/semc.py",
        "        self.fabric.clip_gradients(self._wrapped, self._optimizer, max_norm=_GREATEST_GRADIENT)\n",
        "",
        f"{_SEMC}::test_a_gradient_longer_than_five_is_cut_to_five_and_a_short_one_is_not",
    ),
    Change(
        "momentum is 0",
        "training/trainer/semc.py",
        "_MOMENTUM: Final = 0.9",
        "_MOMENTUM: Final = 0.0",
        f"{_SEMC}::test_a_step_of_sgd_goes_down_the_cut_gradient_by_the_rate_of_the_schedule",
    ),
    Change(
        "balanced sampling is ignored",
        "training/trainer/semc.py",
        'if options.draws == "balanced":',
        'if options.draws == "never":',
        f"{_SEMC}::test_frames_are_drawn_as_the_options_say",
    ),
    Change(
        "the second task is detached",
        "training/trainer/semc.py",
        "second = self.second(details.fused_pooled, self._views)",
        "second = self.second(details.fused_pooled.detach(), self._views)",
        f"{_SEMC}::test_the_second_task_teaches_the_encoder_by_its_weight",
    ),
    Change(
        "the second task's weight is ignored",
        "training/trainer/semc.py",
        "parts.total.mean() + self._second_weight * second.mean()",
        "parts.total.mean() + second.mean()",
        f"{_SEMC}::test_the_second_task_teaches_the_encoder_by_its_weight",
    ),
    Change(
        "AWCL's partners are never drawn",
        "training/pretrain/module.py",
        'if self.options.partners == "other":',
        'if self.options.partners == "never":',
        f"{_PRETRAIN}::test_awcl_shows_two_frames_of_one_anatomy_and_of_the_unknown_one_twice",
    ),
    Change(
        "the anatomy ratio is ignored",
        "training/pretrain/module.py",
        "kept(self._known[which][chosen], self.options.anatomy_ratio, generator)",
        "kept(self._known[which][chosen], 1.0, generator)",
        f"{_PRETRAIN}::test_awcl_uses_labels_as_often_as_it_is_told",
    ),
    Change(
        "the paper's recipe does not flip vertically",
        "training/transforms/recipes.py",
        "        v2.RandomVerticalFlip(),\n",
        "",
        _FLIPS,
    ),
    Change(
        "the paper's recipe turns by up to 90 degrees",
        "training/transforms/recipes.py",
        "        v2.RandomRotation(10, interpolation=_BILINEAR),\n        v2.RandomHorizontalFlip(),\n",
        "        v2.RandomRotation(90, interpolation=_BILINEAR),\n        v2.RandomHorizontalFlip(),\n",
        _FLIPS,
    ),
    Change(
        "the maps of ACE are swapped",
        "semc_core/model/network.py",
        "torch.stack(aligned, dim=1), deep",
        "torch.stack(aligned[::-1], dim=1), deep",
        "tests/model/test_network.py::test_each_expert_is_given_its_own_shallow_map",
    ),
    Change(
        "an encoder file is written as its weights lie in memory",
        "semc_core/model/weights.py",
        'copy=True, order="C")',
        "copy=True)",
        f"{_PRETRAIN}::test_an_encoder_file_holds_the_weights_as_they_are_however_they_lie_in_memory",
    ),
    Change(
        "what is validated is not the average",
        "training/trainer/semc.py",
        "return cast(AnyNetwork, self.average.module)",
        "return self.network",
        f"{_SEMC}::test_the_average_of_the_best_validation_is_kept",
    ),
    Change(
        "the average begins with the first step's weights instead of those before it",
        "training/trainer/semc.py",
        "average.n_averaged.fill_(step + 1)",
        "average.n_averaged.fill_(step)",
        f"{_SEMC}::test_the_average_forgets_the_start_and_then_moves_slowly",
    ),
    Change(
        "a DICOMweb service at another address gets the token",
        "semc_core/pacs/web_secret.py",
        "if kept is None or kept.origin != service.origin:",
        "if kept is None:",
        "tests/pacs/test_web_secret.py::test_it_is_for_one_server_whatever_the_list_says",
    ),
    Change(
        "what a DICOMweb service calls failed is not looked at",
        "semc_core/pacs/web/store.py",
        "for row in _rows(answers, _FAILED):",
        "for row in _rows({}, _FAILED):",
        "tests/pacs/web/test_storing.py::test_what_is_called_a_failure_is_never_taken_for_stored",
    ),
    Change(
        "a DICOMweb service gets the passwords of the environment",
        "semc_core/pacs/web/service.py",
        "self.trust_env = False",
        "self.trust_env = True",
        "tests/pacs/web/test_storing.py::test_proxies_and_passwords_of_the_environment_are_not_used",
    ),
    Change(
        "a DICOMweb service that stored another object stored this",
        "semc_core/pacs/web/store.py",
        "            if _first(row, _UID) == uid:\n                warning",
        "            if row:\n                warning",
        "tests/pacs/web/test_storing.py::test_success_of_another_object_is_none_of_this",
    ),
    Change(
        "DirectShow is asked for its mode as all others",
        "semc_core/sources/devices/negotiate.py",
        '_ORDER: Final = {cv2.CAP_DSHOW: ("rate", "format", "size")}',
        "_ORDER: Final[dict[int, tuple[str, ...]]] = {}",
        "tests/sources/test_opening.py::test_each_back_end_is_asked_in_its_own_order",
    ),
    Change(
        "a stream may give ever less",
        "semc_core/sources/live/outage.py",
        "COLLAPSED_STREAM: Final = 1 / 3",
        "COLLAPSED_STREAM: Final = 0.0",
        "tests/sources/test_collapsed_rate.py::test_a_stream_that_falls_to_two_frames_a_second_is_named",
    ),
    Change(
        "that a card gives too few is not said beside anything else",
        "semc_core/sources/live/outage.py",
        "if slow and not self.rate_is_told:",
        "if slow and not info.notice:",
        "tests/sources/test_collapsed_rate.py::test_that_a_card_gives_too_few_is_said_beside_what_else_is_told",
    ),
    Change(
        "a stream that vanished is asked again every four seconds",
        "semc_core/sources/live/stream.py",
        "_EVERY_S: Final = 0.75",
        "_EVERY_S: Final = 4.0",
        "tests/sources/test_stream_healing.py::test_a_stream_heals_within_the_stated_time_after_its_sender_is_back",
    ),
)
