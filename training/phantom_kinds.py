"""The kinds of phantoms that the default bundle's networks learn from."""

from __future__ import annotations

from dataclasses import replace

from ..phantom import PhantomConfig

#: Networks see phantoms with every severity equally likely and tissues of random brightness, as small as
#: the crops allow.
TRAINING_CONFIG = PhantomConfig(
    balanced=True,
    randomize_appearance=True,
    sagittal_matrices=(224, 256, 320),
    axial_matrices=(208, 240, 288),
    voxel_mm=0.9,
    front_fat="even",
)
#: The canal's graders alone learn from fat in front of the sac that differs as between people, so as not to
#: take it for the sac; localisers and the other graders were no better for it.
CANAL_CONFIG = replace(TRAINING_CONFIG, front_fat="varied")
