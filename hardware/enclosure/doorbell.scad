// The door's enclosure: a base that is screwed to the wall or the wedge, and a shell over it with everything that looks out.
// Open this file in OpenSCAD, change the figures, press F6. x to the right, y up the wall, z out of the wall; all in mm.

/* [What is built in] */
pi = "zero2w";            // [zero2w, pi4]
cam = "3wide";            // [3wide, 3, 2] the camera module
pir = "am312";            // [am312, hcsr501, none]
button_d = 19;            // [16, 19, 22] the button's thread
led_hole = false;         // a 5 mm LED of its own; the button's ring is one already
ir_holes = false;         // four 5 mm IR LEDs beside the camera
entry = "back";           // [back, bottom] where the cable comes in

/* [The wedge] */
wedge_angle = 15;
wedge_way = "right";      // [right, left, down] where the door looks, seen by who stands before it

/* [Print] */
part = "all";             // [all, base, shell, hood, wedge, view]
view = "front";           // used by the pictures: front, back, open, exploded, step1 ... step8
$fn = 40;
gap = 0.3;                // between parts that slide into each other

include <parts.scad>
include <case.scad>
include <views.scad>

if (part == "base") base();
else if (part == "shell") translate([0, 0, depth]) rotate([180, 0, 0]) shell();
else if (part == "hood") translate([0, 0, -depth]) hood();
else if (part == "wedge") wedge();
else if (part == "view") picture(view);
else { base(); translate([width + 10, 0, depth]) rotate([180, 0, 0]) shell(); translate([-width, 0, 0]) translate([0, 0, -depth]) hood(); }
