/* Its zeroed memory is what one camera takes. */
#include "fwb.h"

fwb_camera fwb_size_camera;
